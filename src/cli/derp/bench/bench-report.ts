/** The result of a load test as plain data, with the names of docs/operate/bench.md. Pure. */

import type { LoadPlan } from './bench-plan.ts'
import type { BenchOutcome } from './bench-run.ts'
import { bucketMs, type LatencyHistogram } from './latency-histogram.ts'
import type { Counts, Tally } from './tally.ts'

/** Milliseconds; null where nothing was measured. */
export interface LatencyReport {
  readonly mean: number | null
  readonly p50: number | null
  readonly p90: number | null
  readonly p99: number | null
  readonly p999: number | null
  readonly max: number | null
}

export interface IntervalReport extends Counts {
  /** Its end, in seconds since the start of the measurement. */
  readonly seconds: number
  readonly latencyMs: LatencyReport
}

export interface BenchReport extends Counts {
  readonly relay: string
  readonly processes: number
  readonly pairs: { readonly wanted: number; readonly connected: number; readonly reason: string | null }
  readonly sizes: readonly number[]
  /** Target rate in packets per second; null for as fast as possible. */
  readonly rate: number | null
  /** Packets in flight per pair; null with a rate. */
  readonly window: number | null
  readonly warmupSeconds: number
  readonly seconds: number
  readonly lost: number
  readonly receivedPerSecond: number
  readonly receivedBytesPerSecond: number
  readonly latencyFrom: 'intended send time' | 'send time'
  readonly latencyMs: LatencyReport
  /** Pairs of a latency in milliseconds, and how many packets had it, or less but more than the pair before. */
  readonly histogram: readonly (readonly [ms: number, count: number])[]
  /** How much later than intended packets were sent; null without a rate. */
  readonly lateMs: LatencyReport | null
  readonly intervals: readonly IntervalReport[]
}

export interface BenchSubject {
  readonly relay: string
  readonly processes: number
}

export function benchReport(
  { relay, processes }: BenchSubject,
  plan: LoadPlan,
  { connected, measuredMs, total, intervals }: BenchOutcome,
): BenchReport {
  const { counts } = total
  const isPaced = plan.ratePerSecond !== undefined
  const perSecond = (count: number) => (measuredMs === 0 ? 0 : rounded((count * 1_000) / measuredMs))
  return {
    relay,
    processes,
    pairs: { wanted: plan.pairs, connected: connected.pairs, reason: connected.reason ?? null },
    sizes: plan.sizes,
    rate: plan.ratePerSecond ?? null,
    window: isPaced ? null : plan.window,
    warmupSeconds: plan.warmupMs / 1_000,
    seconds: rounded(measuredMs / 1_000),
    ...counts,
    lost: lostOf(counts),
    receivedPerSecond: perSecond(counts.received),
    receivedBytesPerSecond: perSecond(counts.receivedBytes),
    latencyFrom: isPaced ? 'intended send time' : 'send time',
    latencyMs: latencyReport(total.latency),
    histogram: total.latency.sparse().map(([bucket, count]) => [bucketMs(bucket), count]),
    lateMs: isPaced ? latencyReport(total.lateness) : null,
    intervals: intervals.map(({ endMs, tally }) => intervalReport(endMs, tally)),
  }
}

export function intervalReport(endMs: number, { counts, latency }: Tally): IntervalReport {
  return { seconds: rounded(endMs / 1_000), ...counts, latencyMs: latencyReport(latency) }
}

/** A second packet of the same number, which no relay should deliver, is no gain. */
function lostOf({ sent, received }: Counts): number {
  return Math.max(0, sent - received)
}

function latencyReport(histogram: LatencyHistogram): LatencyReport {
  const at = (share: number) => histogram.quantileMs(share) ?? null
  return {
    mean: histogram.meanMs === undefined ? null : rounded(histogram.meanMs),
    p50: at(0.5),
    p90: at(0.9),
    p99: at(0.99),
    p999: at(0.999),
    max: at(1),
  }
}

/** Rounded to thousandths. */
function rounded(value: number): number {
  return Math.round(value * 1_000) / 1_000
}
