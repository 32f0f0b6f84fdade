/**
 * A hybrid logical clock: wall time, but never behind the times received from other relays (P-302, P-303).
 *
 * Times are integers, exact until the year 2109.
 */

import type { Clock } from '../lib/clock.ts'

/** Ticks per millisecond. */
const TIMES_PER_MS = 2_048
/** Maximum lead of a received time over the local clock, in milliseconds. */
export const MAX_AHEAD_MS = 10_000

export class HybridClock {
  readonly #clock: Pick<Clock, 'wallNow'>
  #last = 0

  constructor(clock: Pick<Clock, 'wallNow'>) {
    this.#clock = clock
  }

  /** A time after all times returned or received so far. */
  next(): number {
    this.#last = Math.max(this.#wall(), this.#last + 1)
    return this.#last
  }

  /** The current time, for others to compare their clocks with. */
  now(): number {
    return Math.max(this.#wall(), this.#last)
  }

  /**
   * Begins anew from wall time if that was set back so far that others refuse the times returned so far (P-302).
   *
   * @returns whether it has.
   */
  beginAnewIfSetBack(): boolean {
    if (this.aheadMs(this.#last) <= MAX_AHEAD_MS) return false
    this.#last = 0
    return true
  }

  /** Takes a received time into account; returns false if it is too far ahead. */
  hear(time: number): boolean {
    if (this.aheadMs(time) > MAX_AHEAD_MS) return false
    this.#last = Math.max(time, this.#last)
    return true
  }

  /** Milliseconds by which `time` is ahead of the local clock; negative if it is behind. */
  aheadMs(time: number): number {
    return (time - this.#wall()) / TIMES_PER_MS
  }

  #wall(): number {
    return Math.floor(this.#clock.wallNow() * TIMES_PER_MS)
  }
}
