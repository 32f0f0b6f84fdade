/**
 * Reads the metrics once a second for all viewers, and not at all without any.
 *
 * Keeps the last minute for the verdict, and the last minutes for the charts.
 */

import type { Clock } from '../../lib/clock.ts'
import type { MetricReader, MetricSnapshot } from '../../status/snapshot.ts'
import { prometheusSamples } from '../../status/varz-prometheus.ts'
import { statusGroups } from './groups.ts'
import { statusLists } from './lists.ts'
import { chartPoint, Interval, type Reading } from './rates.ts'
import type { ChartPoint, StatusReport } from './status-report.ts'
import { verdictOn } from './verdict.ts'

/** Milliseconds between two readings. */
export const READING_MS = 1_000
/** Milliseconds of the recent past, for the verdict. */
const LATELY_MS = 60_000
/** Milliseconds in which the delay of the event loop is measured at least once. */
const DELAYS_MS = 11_000
/** Points that are kept for the charts. */
export const MAX_POINTS = 300

export class StatusWatch {
  readonly #metrics: MetricReader
  readonly #clock: Clock
  /** The oldest first, all within the last minute. */
  #readings: readonly Reading[] = []
  #points: readonly ChartPoint[] = []
  #last: StatusReport | undefined
  #reading: Promise<StatusReport> | undefined

  constructor(metrics: MetricReader, clock: Clock) {
    this.#metrics = metrics
    this.#clock = clock
  }

  /** What the charts begin with. */
  get points(): readonly ChartPoint[] {
    return this.#points
  }

  /** The state now, or up to a second ago. */
  async report(): Promise<StatusReport> {
    if (this.#last !== undefined && this.#clock.wallNow() - this.#last.atMs < READING_MS * 0.9) return this.#last
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined
    })
    return this.#reading
  }

  async #read(): Promise<StatusReport> {
    const snapshot = await this.#metrics()
    const now: Reading = { atMs: this.#clock.wallNow(), samples: prometheusSamples(snapshot) }
    const kept = this.#readings.filter(({ atMs }) => atMs < now.atMs && now.atMs - atMs <= LATELY_MS)
    const point = this.#pointOf(now, kept)
    if (point !== undefined) this.#points = [...this.#points, point].slice(-MAX_POINTS)
    this.#readings = [...kept, now]
    this.#last = reportOf(snapshot, now, kept[0] && new Interval(kept[0], now), point)
    return this.#last
  }

  #pointOf(now: Reading, kept: readonly Reading[]): ChartPoint | undefined {
    const before = kept.at(-1)
    if (before === undefined) return undefined
    const measured = kept.find(({ atMs }) => now.atMs - atMs <= DELAYS_MS) ?? before
    return chartPoint(now, new Interval(before, now), new Interval(measured, now))
  }
}

function reportOf(
  snapshot: MetricSnapshot,
  { atMs, samples }: Reading,
  lately: Interval | undefined,
  point: ChartPoint | undefined,
): StatusReport {
  const { readiness, certificates = [], version, process } = snapshot
  return {
    atMs,
    version,
    uptimeSeconds: process.uptimeSeconds,
    verdict: verdictOn({ readiness, certificates, nowMs: atMs, samples, lately }),
    groups: statusGroups(samples),
    lists: statusLists(snapshot, atMs),
    point,
  }
}
