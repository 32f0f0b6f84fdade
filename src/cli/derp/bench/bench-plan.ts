/** What a load test does, and which process does which part. Pure. */

/** The load, the same for all processes. */
export interface LoadPlan {
  readonly run: number
  /** Pairs of all processes. */
  readonly pairs: number
  readonly sizes: readonly number[]
  /** Packets per second of all pairs; undefined for as fast as possible. */
  readonly ratePerSecond: number | undefined
  /** Packets in flight per pair, without a rate. */
  readonly window: number
  readonly warmupMs: number
  readonly durationMs: number
}

/** The part of one process. */
export interface LoadPart {
  readonly load: LoadPlan
  readonly firstPair: number
  readonly pairs: number
}

/** Shares the pairs out evenly; no process is without one. */
export function partsOf(load: LoadPlan, processes: number): LoadPart[] {
  const parts: LoadPart[] = []
  const count = Math.min(processes, load.pairs)
  for (let at = 0, firstPair = 0; at < count; at++) {
    const pairs = Math.ceil((load.pairs - firstPair) / (count - at))
    parts.push({ load, firstPair, pairs })
    firstPair += pairs
  }
  return parts
}
