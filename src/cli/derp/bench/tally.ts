/** What was counted in a load test, in one process or all. Pure. */

import { LatencyHistogram, type SparseCounts } from './latency-histogram.ts'

/** A tally as plain data. */
export interface TallyData {
  readonly counts: Counts
  readonly latency: SparseCounts
  readonly latencyMicros: number
  readonly lateness: SparseCounts
  readonly latenessMicros: number
}

/** Packets whose intended send time is within the measurement. */
export interface Counts {
  sent: number
  sentBytes: number
  received: number
  receivedBytes: number
  /** Due, but not sent by the end. */
  unsent: number
  /** Failed calls of the clients: a connection was lost, or could not be restored. */
  failures: number
}

const NONE: Readonly<Counts> = { sent: 0, sentBytes: 0, received: 0, receivedBytes: 0, unsent: 0, failures: 0 }
const NAMES = Object.keys(NONE) as (keyof Counts)[]

export class Tally {
  readonly counts: Counts = { ...NONE }
  /** From the intended send time to the arrival. */
  readonly latency: LatencyHistogram = new LatencyHistogram()
  /** From the intended send time to the actual one. */
  readonly lateness: LatencyHistogram = new LatencyHistogram()

  /** All of them in one. */
  static sum(parts: readonly TallyData[]): Tally {
    const sum = new Tally()
    for (const part of parts) sum.add(part)
    return sum
  }

  /** With `times` -1 it is taken away: what was counted since then. */
  add(data: TallyData, times = 1): void {
    for (const name of NAMES) this.counts[name] += data.counts[name] * times
    this.latency.add(data.latency, data.latencyMicros, times)
    this.lateness.add(data.lateness, data.latenessMicros, times)
  }

  get isEmpty(): boolean {
    return NAMES.every(name => this.counts[name] === 0)
  }

  data(): TallyData {
    return {
      counts: { ...this.counts },
      latency: this.latency.sparse(),
      latencyMicros: this.latency.sumMicros,
      lateness: this.lateness.sparse(),
      latenessMicros: this.lateness.sumMicros,
    }
  }
}
