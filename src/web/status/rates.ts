/** Changes between two readings of the metrics. Pure. */

import { labelledValues, type Samples } from './groups.ts'
import type { ChartPoint } from './status-report.ts'

/** All metrics at one time. */
export interface Reading {
  /** Milliseconds since 1970. */
  readonly atMs: number
  readonly samples: Samples
}

/** The time between two readings. */
export class Interval {
  readonly seconds: number
  readonly #before: Samples
  readonly #now: Samples

  constructor(before: Reading, now: Reading) {
    this.seconds = Math.max(0.001, (now.atMs - before.atMs) / 1_000)
    this.#before = before.samples
    this.#now = now.samples
  }

  /** By how much a counter has grown. */
  growth(metric: string): number {
    return (this.#now.get(metric) ?? 0) - (this.#before.get(metric) ?? 0)
  }

  perSecond(metric: string): number {
    return this.growth(metric) / this.seconds
  }

  /** By how much each value of a labelled counter has grown, the most first; those that have not are left out. */
  growthByLabel(name: string): { readonly label: string; readonly growth: number }[] {
    return labelledValues(name, this.#now)
      .map(({ metric, label }) => ({ label, growth: this.growth(metric) }))
      .filter(({ growth }) => growth > 0)
      .toSorted((a, b) => b.growth - a.growth)
  }

  /** The mean of what a histogram has recorded; undefined when that was nothing. */
  mean(histogram: string): number | undefined {
    const count = this.growth(`${histogram}_count`)
    return count > 0 ? this.growth(`${histogram}_sum`) / count : undefined
  }
}

/** Sum over all labels. */
export function totalGrowth(interval: Interval, name: string): number {
  return interval.growthByLabel(name).reduce((sum, { growth }) => sum + growth, 0)
}

/** @param delays the interval in which means are taken: long enough for one measurement. */
export function chartPoint(now: Reading, interval: Interval, delays: Interval): ChartPoint {
  return {
    atMs: now.atMs,
    packetsReceived: interval.perSecond('derp_packets_received'),
    packetsSent: interval.perSecond('derp_packets_sent'),
    packetsDropped: totalGrowth(interval, 'derphttp_packets_dropped') / interval.seconds,
    bytesReceived: interval.perSecond('derp_bytes_received'),
    bytesSent: interval.perSecond('derp_bytes_sent'),
    logins: interval.perSecond('derphttp_logins'),
    clients: now.samples.get('derp_current_connections') ?? 0,
    queueAgeMs: interval.mean('derphttp_queue_age_ms') ?? null,
    eventLoopDelayMs: delays.mean('derphttp_event_loop_delay_ms') ?? null,
  }
}
