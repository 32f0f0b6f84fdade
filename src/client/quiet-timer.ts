/** Notices that nothing has come for a while (P-091, P-094). */

import type { Clock, Timer } from '../lib/clock.ts'

/** One timer, not moved by every frame: when it fires it looks at how long ago the last one came. */
export class QuietTimer {
  readonly #clock: Clock
  readonly #quietMs: number
  readonly #onQuiet: () => void
  #lastMs: number
  #isSuspended = false
  #timer: Timer | undefined

  /** @param onQuiet called once for each {@link start}, after `quietMs` without anything. */
  constructor(clock: Clock, quietMs: number, onQuiet: () => void) {
    this.#clock = clock
    this.#quietMs = quietMs
    this.#onQuiet = onQuiet
    this.#lastMs = clock.now()
  }

  get isSuspended(): boolean {
    return this.#isSuspended
  }

  /** Something has come. */
  touch(): void {
    this.#lastMs = this.#clock.now()
  }

  /** Nothing can come, as nobody reads. */
  suspend(): void {
    this.#isSuspended = true
  }

  /** Reading goes on; the time begins anew. */
  resume(): void {
    if (!this.#isSuspended) return
    this.#isSuspended = false
    this.touch()
  }

  /** Looks again in `quietMs`, and whenever something came meanwhile, that long after it. */
  start(): void {
    this.#arm(this.#quietMs)
  }

  cancel(): void {
    this.#timer?.cancel()
  }

  #arm(delayMs: number): void {
    this.#timer?.cancel()
    this.#timer = this.#clock.after(delayMs, () => {
      const passedMs = this.#isSuspended ? 0 : this.#clock.now() - this.#lastMs
      if (passedMs >= this.#quietMs) this.#onQuiet()
      else this.#arm(this.#quietMs - passedMs)
    })
  }
}
