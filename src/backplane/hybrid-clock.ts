/**
 * A hybrid logical clock: wall time where clocks agree, and never behind what other relays have said (P-302, P-303).
 *
 * Its times are whole numbers, and exact up to the year 2109.
 */

import type { Clock } from '../lib/clock.ts'

/** Times that one millisecond has room for. */
const TIMES_PER_MS = 2_048
/** Milliseconds that a time may be ahead of this relay's own clock. */
export const MAX_AHEAD_MS = 10_000

export class HybridClock {
  readonly #clock: Pick<Clock, 'wallNow'>
  #last = 0

  constructor(clock: Pick<Clock, 'wallNow'>) {
    this.#clock = clock
  }

  /** A time after all that it has given or heard. */
  next(): number {
    this.#last = Math.max(this.#wall(), this.#last + 1)
    return this.#last
  }

  /** The time of now, for others to compare their clocks with. */
  now(): number {
    return Math.max(this.#wall(), this.#last)
  }

  /** Has heard a time; refuses one that is too far ahead. */
  hear(time: number): boolean {
    if (this.aheadMs(time) > MAX_AHEAD_MS) return false
    if (time > this.#last) this.#last = time
    return true
  }

  /** Milliseconds that `time` is ahead of this relay's own clock; negative if it is behind. */
  aheadMs(time: number): number {
    return (time - this.#wall()) / TIMES_PER_MS
  }

  #wall(): number {
    return Math.floor(this.#clock.wallNow() * TIMES_PER_MS)
  }
}
