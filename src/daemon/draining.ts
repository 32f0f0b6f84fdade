/** Graceful shutdown: readiness fails first, then clients are told to move, and accepted packets are delivered (P-174). */

import type { Clock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import { sleep } from '../lib/sleep.ts'
import type { DrainOptions, DrainResult } from '../server/drain.ts'
import type { PacketTotals } from './packet-totals.ts'
import type { DrainSettings } from './settings.ts'

export interface DrainedParts {
  readonly clock: Clock
  readonly log: Log
  /** Read when the drain begins, as SIGHUP may change it. */
  readonly settings: () => DrainSettings
  /** Number of client connections. */
  readonly connections: () => number
  readonly stopListening: () => void
  /** Closes client connections, then mesh links. */
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

  /** For readiness: why new clients should go elsewhere. */
  get problem(): string | undefined {
    return this.#hasBegun ? 'the relay is shutting down' : undefined
  }

  /** Resolves when the drain has ended. */
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

  /** Skips the remaining waits. */
  hurry(): void {
    this.#hurry.abort()
  }
}
