/** Detects that nothing has been received for a while (P-091, P-094). */

import type { Clock, Timer } from '../lib/clock.ts'

/** One timer, not rescheduled for every frame: when it fires it checks how long ago the last frame arrived. */
export class QuietTimer {
  readonly #clock: Clock
  readonly #quietMs: number
  readonly #onQuiet: () => void
  #lastMs: number
  #isSuspended = false
  #timer: Timer | undefined

  /** @param onQuiet called once per {@link start}, after `quietMs` without a frame. */
  constructor(clock: Clock, quietMs: number, onQuiet: () => void) {
    this.#clock = clock
    this.#quietMs = quietMs
    this.#onQuiet = onQuiet
    this.#lastMs = clock.now()
  }

  get isSuspended(): boolean {
    return this.#isSuspended
  }

  /** A frame has arrived. */
  touch(): void {
    this.#lastMs = this.#clock.now()
  }

  /** Nothing can arrive, because reading is paused. */
  suspend(): void {
    this.#isSuspended = true
  }

  /** Reading continues; the time starts again. */
  resume(): void {
    if (!this.#isSuspended) return
    this.#isSuspended = false
    this.touch()
  }

  /** Checks again after `quietMs`, or that long after the latest frame. */
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
