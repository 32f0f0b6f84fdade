/** When a worker that has ended is started anew: at once, unless it ends again and again. */

/** Milliseconds that a worker must have run for its end to be the first. */
const LASTING_MS = 60_000
/** Milliseconds before the second start; each further one in a row waits twice as long. */
const FIRST_DELAY_MS = 250
const MAX_DELAY_MS = 30_000

export class RestartDelay {
  #endsInARow = 0

  /** The worker has ended after so long; returns milliseconds until it is to be started again. */
  afterEnd(ranMs: number): number {
    this.#endsInARow = ranMs >= LASTING_MS ? 1 : this.#endsInARow + 1
    if (this.#endsInARow === 1) return 0
    return Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (this.#endsInARow - 2))
  }
}
