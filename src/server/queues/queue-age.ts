/** How long packets waited before they were sent, as the moving average that the original exports, and by buckets. */

import type { Histogram } from '../../metrics/histogram.ts'

const ALPHA = 0.1

export class QueueAge {
  /** Exponential moving average in milliseconds. */
  averageMs = 0
  readonly #histogram: Histogram

  /** @param histogram where each age is recorded too. */
  constructor(histogram: Histogram) {
    this.#histogram = histogram
  }

  /** Notes `count` packets that waited `ageMs` each. */
  recordMany(count: number, ageMs: number): void {
    if (count === 0) return
    const weight = count === 1 ? 1 - ALPHA : (1 - ALPHA) ** count
    this.averageMs = this.averageMs * weight + ageMs * (1 - weight)
    this.#histogram.observe(ageMs, count)
  }
}
