/**
 * Latencies in log-linear buckets, as HDR histograms have: recording is one addition, and a percentile is at most 1.6 % too
 * high. Histograms of several processes are merged by adding. Pure.
 */

/** Below this, in microseconds, each value has its own bucket. */
const LINEAR = 128
/** Buckets per doubling above. */
const STEPS = 64
const MAX_MICROS = 2 ** 32 - 1
const BUCKETS = LINEAR + 25 * STEPS

/** A histogram as plain data: pairs of bucket and count. */
export type SparseCounts = readonly (readonly [bucket: number, count: number])[]

export class LatencyHistogram {
  readonly #counts: number[]
  #count = 0
  #sumMicros = 0

  constructor(counts: SparseCounts = [], sumMicros = 0) {
    this.#counts = Array.from({ length: BUCKETS }, () => 0)
    this.add(counts, sumMicros)
  }

  get count(): number {
    return this.#count
  }

  get sumMicros(): number {
    return this.#sumMicros
  }

  /** Milliseconds; undefined without values. */
  get meanMs(): number | undefined {
    return this.#count === 0 ? undefined : this.#sumMicros / this.#count / 1_000
  }

  record(ms: number): void {
    const micros = Math.min(MAX_MICROS, Math.max(0, Math.round(ms * 1_000)))
    const bucket = bucketOf(micros)
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1
    this.#count++
    this.#sumMicros += micros
  }

  /** Adds another one; with `times` -1 takes it away. */
  add(counts: SparseCounts, sumMicros: number, times = 1): void {
    for (const [bucket, count] of counts) {
      this.#counts[bucket] = (this.#counts[bucket] ?? 0) + count * times
      this.#count += count * times
    }
    this.#sumMicros += sumMicros * times
  }

  /** Milliseconds that this share of the values does not exceed, from 0 to 1; undefined without values. */
  quantileMs(share: number): number | undefined {
    if (this.#count === 0) return undefined
    const rank = Math.max(1, Math.ceil(share * this.#count))
    let seen = 0
    for (const [bucket, count] of this.#counts.entries()) {
      seen += count
      if (seen >= rank) return upperMicros(bucket) / 1_000
    }
    return undefined
  }

  sparse(): SparseCounts {
    return Array.from(this.#counts.entries()).filter(([, count]) => count > 0)
  }

  /** Counts of values up to each bound in milliseconds, ascending, and not in the one before. */
  countsUpTo(boundsMs: readonly number[]): number[] {
    const counts = boundsMs.map(() => 0)
    for (const [bucket, count] of this.#counts.entries()) {
      if (count === 0) continue
      const at = boundsMs.findIndex(bound => upperMicros(bucket) <= bound * 1_000)
      const last = at < 0 ? boundsMs.length - 1 : at
      counts[last] = (counts[last] ?? 0) + count
    }
    return counts
  }
}

/** The highest value of a bucket, in milliseconds. */
export function bucketMs(bucket: number): number {
  return upperMicros(bucket) / 1_000
}

function bucketOf(micros: number): number {
  if (micros < LINEAR) return micros
  const exponent = 31 - Math.clz32(micros)
  const step = micros >>> (exponent - 6)
  return LINEAR + (exponent - 7) * STEPS + (step - STEPS)
}

function upperMicros(bucket: number): number {
  if (bucket < LINEAR) return bucket
  const doubling = Math.floor((bucket - LINEAR) / STEPS)
  const step = STEPS + ((bucket - LINEAR) % STEPS)
  return (step + 1) * 2 ** (doubling + 1) - 1
}
