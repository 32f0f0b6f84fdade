/** The end of the daemon in good order: who watches is told, then the clients, and what was taken is delivered (P-174). */

import type { Clock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import { sleep } from '../lib/sleep.ts'
import type { DrainOptions, DrainResult } from '../server/drain.ts'
import type { PacketTotals } from './packet-totals.ts'
import type { DrainSettings } from './settings.ts'

/** What is to be drained. */
export interface DrainedParts {
  readonly clock: Clock
  readonly log: Log
  /** Asked when it begins, so that it can be changed. */
  readonly settings: () => DrainSettings
  /** Connections of clients. */
  readonly connections: () => number
  /** Has the listeners take no more connections. */
  readonly stopListening: () => void
  /** Ends the clients' connections, and then what else moves packets. */
  readonly drain: (options: DrainOptions) => Promise<DrainResult>
  readonly totals: () => Promise<PacketTotals>
}

export class Draining {
  readonly #parts: DrainedParts
  readonly #hurry = new AbortController()
  #hasBegun = false

  constructor(parts: DrainedParts) {
    this.#parts = parts
  }

  /** For readiness: why no clients should be sent any more. */
  get problem(): string | undefined {
    return this.#hasBegun ? 'the relay is about to end' : undefined
  }

  /** Runs to the end. */
  async run(): Promise<void> {
    const { clock, log, settings, connections, totals } = this.#parts
    const { delayMs, spreadMs, tryForMs, deadlineMs } = settings()
    const { signal } = this.#hurry
    const beganAtMs = clock.now()
    this.#hasBegun = true
    log.info('drain begins', { connections: connections(), delayMs, spreadMs, deadlineMs })
    if (delayMs > 0) await sleep(clock, delayMs, signal)
    this.#parts.stopListening()
    const leftMs = Math.max(0, deadlineMs - (clock.now() - beganAtMs))
    const result = await this.#parts.drain({ spreadMs, tryForMs, deadlineMs: leftMs, signal })
    const tookMs = Math.round(clock.now() - beganAtMs)
    log.info('drain ended', { ...result, tookMs, ...(await totals()) })
  }

  /** Cuts short whatever is still waited for. */
  hurry(): void {
    this.#hurry.abort()
  }
}
