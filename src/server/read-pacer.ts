/**
 * Delays a client: its frames stay unread as long as its rate limit says (P-103), or until all workers know something.
 */

import type { Clock, Timer } from '../lib/clock.ts'
import type { RelayCounters } from '../metrics/counters.ts'
import type { Health } from './health.ts'
import { type RateLimit, ReadLimit } from './rate-limit.ts'

/** After this long without a wait, a client no longer counts as rate-limited. */
const UNLIMITED_AFTER_MS = 10_000

export class ReadPacer {
  readonly #clock: Clock
  readonly #counters: RelayCounters
  readonly #health: Health | undefined
  #limit: ReadLimit | undefined
  /** The current wait; without a timer it is not due to the rate limit. */
  #wait: { readonly timer: Timer | undefined; readonly goOn: () => void } | undefined
  #calm: Timer | undefined

  /** @param health told while the client is rate-limited. */
  constructor(clock: Clock, counters: RelayCounters, health: Health | undefined) {
    this.#clock = clock
    this.#counters = counters
    this.#health = health
  }

  get isWaiting(): boolean {
    return this.#wait !== undefined
  }

  /** Sets the limit from now on; a wait under an older one ends at once. */
  setLimit(limit: RateLimit | undefined): void {
    this.#limit = limit === undefined ? undefined : new ReadLimit(limit, this.#clock.now())
    const waiting = this.#wait
    if (waiting?.timer === undefined) return
    waiting.timer.cancel()
    this.#wait = undefined
    waiting.goOn()
  }

  /**
   * Charges a frame with this body length.
   *
   * @param goOn called when the frame may be handled, if not now.
   * @returns whether it must wait.
   */
  mustWait(length: number, goOn: () => void): boolean {
    const waitMs = this.#limit?.charge(length, this.#clock.now()) ?? 0
    if (waitMs === 0) return false
    this.#counters.rateLimitWaits++
    const timer = this.#clock.after(waitMs, () => {
      this.#wait = undefined
      goOn()
    })
    this.#wait = { timer, goOn }
    if (this.#health !== undefined) this.#tell(this.#health, waitMs)
    return true
  }

  /** Waits for `known`, then calls `goOn`. */
  waitFor(known: Promise<void>, goOn: () => void): void {
    const wait = { timer: undefined, goOn }
    this.#wait = wait
    void known.then(() => {
      if (this.#wait !== wait) return
      this.#wait = undefined
      goOn()
    })
  }

  /** Makes the current wait, if any, permanent. */
  stop(): void {
    this.#wait?.timer?.cancel()
    if (this.#wait !== undefined) this.#wait = { timer: undefined, goOn: () => {} }
    this.#calm?.cancel()
  }

  #tell(health: Health, waitMs: number): void {
    health.set('limited', true)
    this.#calm?.cancel()
    this.#calm = this.#clock.after(waitMs + UNLIMITED_AFTER_MS, () => health.set('limited', false))
  }
}
