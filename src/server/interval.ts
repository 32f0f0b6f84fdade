/** A repeated action until stopped, such as sending keep-alives (P-090). */

import type { Timer } from '../lib/clock.ts'
import type { Timers } from '../lib/timer-queue.ts'

export class Interval {
  readonly #timers: Timers
  readonly #intervalMs: number
  readonly #act: () => void
  #timer: Timer | undefined

  constructor(timers: Timers, intervalMs: number, act: () => void) {
    this.#timers = timers
    this.#intervalMs = intervalMs
    this.#act = act
    this.#schedule()
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }

  #schedule(): void {
    this.#timer = this.#timers.after(this.#intervalMs, () => {
      this.#schedule()
      this.#act()
    })
  }
}
