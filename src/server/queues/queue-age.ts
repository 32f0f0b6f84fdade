/** How long packets were queued, as the original's moving average, and as a histogram. */

import type { Histogram } from '../../metrics/histogram.ts'

const ALPHA = 0.1

export class QueueAge {
  /** Exponential moving average in milliseconds. */
  averageMs = 0
  readonly #histogram: Histogram

  /** @param histogram receives each age too. */
  constructor(histogram: Histogram) {
    this.#histogram = histogram
  }

  /** Records `count` packets queued for `ageMs` each. */
  recordMany(count: number, ageMs: number): void {
    if (count === 0) return
    const weight = count === 1 ? 1 - ALPHA : (1 - ALPHA) ** count
    this.averageMs = this.averageMs * weight + ageMs * (1 - weight)
    this.#histogram.observe(ageMs, count)
  }
}
