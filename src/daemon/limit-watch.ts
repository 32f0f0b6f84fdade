/** Logs how often limits were hit, at most one line per interval. */

import type { Clock, Timer } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import { DropReason } from '../metrics/drop-reason.ts'
import type { MetricReader, MetricSnapshot } from '../status/snapshot.ts'

/** Milliseconds between log lines. */
export const INTERVAL_MS = 60_000

/** Counters of limits by log field. */
const LIMITS: Readonly<Record<string, (snapshot: MetricSnapshot) => number>> = {
  /** Clients throttled by `-rate-config`. */
  rateLimitWaits: ({ relay }) => relay.counters.rateLimitWaits,
  /** Clients closed by `-tcp-write-timeout`. */
  writeTimeouts: ({ relay }) => relay.counters.writeTimeouts,
  /** Packets dropped by `-max-queued-bytes`. */
  queueBudgetDrops: ({ relay }) => {
    const { disco, other } = relay.counters.dropped[DropReason.QueueBudget]
    return disco.packets + other.packets
  },
  /** Connections ended by it, and by the bound on long logins. */
  backlogsEnded: ({ relay }) => relay.counters.failures.ERR_DERP_BACKLOG_FULL ?? 0,
  /** Connections closed by the accept rate limit. */
  connectionsRejected: ({ http }) => http.tlsRejected,
}

export class LimitWatch {
  readonly #metrics: MetricReader
  readonly #clock: Clock
  readonly #log: Log
  #before: Readonly<Record<string, number>> = {}
  #timer: Timer | undefined

  constructor(metrics: MetricReader, clock: Clock, log: Log) {
    this.#metrics = metrics
    this.#clock = clock
    this.#log = log
  }

  start(): void {
    this.#timer = this.#clock.after(INTERVAL_MS, () => {
      this.start()
      void this.#report()
    })
  }

  stop(): void {
    this.#timer?.cancel()
  }

  async #report(): Promise<void> {
    const snapshot = await this.#metrics()
    const now = Object.fromEntries(Object.entries(LIMITS).map(([name, count]) => [name, count(snapshot)]))
    const hits = Object.entries(now)
      .map(([name, count]) => [name, count - (this.#before[name] ?? 0)] as const)
      .filter(([, count]) => count > 0)
    this.#before = now
    if (hits.length > 0) this.#log.warn('limits were hit', { withinMs: INTERVAL_MS, ...Object.fromEntries(hits) })
  }
}
