/** Tells the log that limits are being hit: how often, and never more than one line in a while. */

import type { Clock, Timer } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import type { MetricReader, MetricSnapshot } from '../status/snapshot.ts'

/** Milliseconds between two looks. */
export const LOOK_MS = 60_000

/** What is counted when a limit is hit, by the name in the log. */
const LIMITS: Readonly<Record<string, (snapshot: MetricSnapshot) => number>> = {
  /** Clients that had to wait by `-rate-config`. */
  rateLimitWaits: ({ relay }) => relay.counters.rateLimitWaits,
  /** Clients that were cut off by `-tcp-write-timeout`. */
  writeTimeouts: ({ relay }) => relay.counters.writeTimeouts,
  /** Connections that were closed for coming too fast. */
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
    this.#timer = this.#clock.after(LOOK_MS, () => {
      this.start()
      void this.#look()
    })
  }

  stop(): void {
    this.#timer?.cancel()
  }

  async #look(): Promise<void> {
    const snapshot = await this.#metrics()
    const now = Object.fromEntries(Object.entries(LIMITS).map(([name, count]) => [name, count(snapshot)]))
    const hits = Object.entries(now)
      .map(([name, count]) => [name, count - (this.#before[name] ?? 0)] as const)
      .filter(([, count]) => count > 0)
    this.#before = now
    if (hits.length > 0) this.#log.warn('limits were hit', { withinMs: LOOK_MS, ...Object.fromEntries(hits) })
  }
}
