/** Notices a connection on which nothing comes any more (P-094). */

import type { Clock, Timer } from '../lib/clock.ts'

/** One timer, which is not moved with every frame: when it fires it looks at how long ago the last one was. */
export class ReadDeadline {
  readonly #clock: Clock
  readonly #timeoutMs: number
  readonly #onExpired: () => void
  #lastMs: number
  #suspended = false
  #timer: Timer | undefined

  constructor(clock: Clock, timeoutMs: number, onExpired: () => void) {
    this.#clock = clock
    this.#timeoutMs = timeoutMs
    this.#onExpired = onExpired
    this.#lastMs = clock.now()
    this.#arm(timeoutMs)
  }

  /** A whole frame has come. */
  touch(): void {
    this.#lastMs = this.#clock.now()
  }

  /** Nothing can come because we do not read. */
  suspend(): void {
    this.#suspended = true
  }

  /** Reading goes on; the time begins anew. */
  resume(): void {
    if (!this.#suspended) return
    this.#suspended = false
    this.touch()
  }

  cancel(): void {
    this.#timer?.cancel()
  }

  #arm(delayMs: number): void {
    this.#timer = this.#clock.after(delayMs, () => {
      const silentMs = this.#suspended ? 0 : this.#clock.now() - this.#lastMs
      if (silentMs >= this.#timeoutMs) this.#onExpired()
      else this.#arm(this.#timeoutMs - silentMs)
    })
  }
}
