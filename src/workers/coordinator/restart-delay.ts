/** When to restart a worker that exited: at once, unless it keeps exiting. */

/** Milliseconds a worker must have run for its exit to count as the first. */
const LASTING_MS = 60_000
/** Milliseconds before the second restart; doubled for each further one. */
const FIRST_DELAY_MS = 250
const MAX_DELAY_MS = 30_000

export class RestartDelay {
  #endsInARow = 0

  /** The worker exited after this long; returns milliseconds until it is to be restarted. */
  afterEnd(ranMs: number): number {
    this.#endsInARow = ranMs >= LASTING_MS ? 1 : this.#endsInARow + 1
    if (this.#endsInARow === 1) return 0
    return Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (this.#endsInARow - 2))
  }
}
