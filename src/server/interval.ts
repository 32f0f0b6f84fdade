/** Something done again and again until it is stopped, such as sending keep-alives (P-090). */

import type { Clock, Timer } from '../lib/clock.ts'

export class Interval {
  readonly #clock: Clock
  readonly #intervalMs: number
  readonly #act: () => void
  #timer: Timer | undefined

  constructor(clock: Clock, intervalMs: number, act: () => void) {
    this.#clock = clock
    this.#intervalMs = intervalMs
    this.#act = act
    this.#schedule()
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }

  #schedule(): void {
    this.#timer = this.#clock.after(this.#intervalMs, () => {
      this.#schedule()
      this.#act()
    })
  }
}
