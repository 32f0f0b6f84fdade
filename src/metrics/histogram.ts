/**
 * Histograms with fixed buckets: plain numbers, so that recording costs a few comparisons and histograms of several
 * workers are merged by adding.
 */

/** An exported bucket: how many values were at most its bound. */
export interface CumulativeBucket {
  /** The bound as text; `+Inf` for the last. */
  readonly le: string
  /** Values up to the bound. */
  readonly count: number
}

/** Counts of values, by ranges with fixed bounds. */
export class Histogram {
  /** Values per bucket, not cumulative; the last one is for values above all bounds. */
  readonly counts: number[]
  /** Sum of all values. */
  sum = 0
  readonly #bounds: readonly number[]

  /** @param bounds inclusive upper bounds, ascending. */
  constructor(bounds: readonly number[]) {
    this.#bounds = bounds
    this.counts = Array.from({ length: bounds.length + 1 }, () => 0)
  }

  /** Number of recorded values. */
  get count(): number {
    let count = 0
    for (const inBucket of this.counts) count += inBucket
    return count
  }

  /** Records the same value `times` times. */
  observe(value: number, times = 1): void {
    const bounds = this.#bounds
    let bucket = 0
    while (bucket < bounds.length && value > (bounds[bucket] as number)) bucket++
    this.counts[bucket] = (this.counts[bucket] as number) + times
    this.sum += value * times
  }

  /** The cumulative buckets of both expositions. */
  cumulative(): CumulativeBucket[] {
    let count = 0
    return this.counts.map((inBucket, bucket) => {
      count += inBucket
      return { le: bucket < this.#bounds.length ? String(this.#bounds[bucket]) : '+Inf', count }
    })
  }
}

/** Milliseconds, from imperceptible to what ends a connection. */
export const DELAY_BOUNDS_MS: readonly number[] = [0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000]
/** Presence changes per batch, as in the original. */
export const MESH_UPDATE_BATCH_BOUNDS: readonly number[] = [0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000]
/** Batches sent in a row, as in the original. */
export const MESH_UPDATE_LOOP_BOUNDS: readonly number[] = [0, 1, 2, 5, 10, 20, 50, 100]
/** Frames per write, as in the original. */
export const WRITE_FRAMES_BOUNDS: readonly number[] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 20, 25, 50, 100]
