/**
 * Graceful shutdown: readiness fails first, then clients are told to move, and accepted packets are delivered (P-174).
 *
 * When another process takes over (P-177) there is no delay: it accepts clients already.
 */

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
  /** @param isHandover another process listens on the same ports. */
  readonly stopListening: (isHandover: boolean) => void
  /** Closes client connections, then mesh links. */
  readonly drain: (options: DrainOptions) => Promise<DrainResult>
  readonly totals: () => Promise<PacketTotals>
}

/** Milliseconds after a handover for the connections accepted last to log in. */
const SETTLE_MS = 1_000

export class Draining {
  readonly #parts: DrainedParts
  readonly #hurry = new AbortController()
  readonly #released = Promise.withResolvers<void>()
  #running: Promise<void> | undefined

  constructor(parts: DrainedParts) {
    this.#parts = parts
  }

  /** For readiness: why new clients should go elsewhere. */
  get problem(): string | undefined {
    return this.#running !== undefined ? 'the relay is shutting down' : undefined
  }

  /** Resolves when no more clients are accepted. */
  get released(): Promise<void> {
    return this.#released.promise
  }

  /**
   * Drains, or joins the drain that is running; resolves when it has ended.
   *
   * @param isHandover another process accepts clients already.
   */
  run(isHandover = false): Promise<void> {
    this.#running ??= this.#run(isHandover)
    return this.#running
  }

  async #run(isHandover: boolean): Promise<void> {
    const { clock, log, settings, connections, totals } = this.#parts
    const { spreadMs, tryForMs, deadlineMs, ...waits } = settings()
    const delayMs = isHandover ? 0 : waits.delayMs
    const { signal } = this.#hurry
    const beganAtMs = clock.now()
    log.info('drain begins', { connections: connections(), delayMs, spreadMs, deadlineMs })
    if (delayMs > 0) await sleep(clock, delayMs, signal)
    this.#parts.stopListening(isHandover)
    this.#released.resolve()
    if (isHandover) await sleep(clock, SETTLE_MS, signal)
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
