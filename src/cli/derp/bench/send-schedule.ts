/** When one pair is to send: at a fixed rate, whatever the relay does. Pure. */

export class SendSchedule {
  readonly #startMs: number
  readonly #intervalMs: number

  /**
   * @param ratePerSecond packets of all pairs together.
   * @param pair from 0: the pairs take turns, so that packets of all of them are evenly spaced.
   */
  constructor(startMs: number, ratePerSecond: number, pair: number, pairs: number) {
    this.#intervalMs = (1_000 * pairs) / ratePerSecond
    this.#startMs = startMs + (this.#intervalMs * pair) / pairs
  }

  /** The intended send time of a packet, from 0. */
  at(packet: number): number {
    return this.#startMs + packet * this.#intervalMs
  }

  /** Packets intended before this time. */
  countBefore(ms: number): number {
    return Math.max(0, Math.ceil((ms - this.#startMs) / this.#intervalMs))
  }
}
