/**
 * Ends connections that do not take a write in time (P-101), with one timer for all of them.
 *
 * All writes of one instance have the same time limit, so the one that began first is due first.
 */

import type { Clock, Timer } from '../../lib/clock.ts'

/** Something with a write under way. */
export interface DeadlineHolder {
  /** The write was not finished in time. */
  onWriteTimeout(): void
}

export class WriteDeadlines {
  readonly #clock: Clock
  readonly #timeoutMs: number
  readonly #dueAt = new Map<DeadlineHolder, number>()
  #timer: Timer | undefined

  /** @param timeoutMs milliseconds each write may take; 0 for no limit. */
  constructor(clock: Clock, timeoutMs: number) {
    this.#clock = clock
    this.#timeoutMs = timeoutMs
  }

  /** A write begins at `nowMs`. A holder has at most one. */
  begin(holder: DeadlineHolder, nowMs: number): void {
    if (this.#timeoutMs === 0) return
    this.#dueAt.set(holder, nowMs + this.#timeoutMs)
    if (this.#timer === undefined) this.#arm(this.#timeoutMs)
  }

  /** The holder's write is over. */
  end(holder: DeadlineHolder): void {
    this.#dueAt.delete(holder)
  }

  /** Forgets all writes. */
  close(): void {
    this.#dueAt.clear()
    this.#timer?.cancel()
    this.#timer = undefined
  }

  // The timer is not moved when its write ends: it looks for the next one when it fires.
  #arm(delayMs: number): void {
    this.#timer?.cancel()
    this.#timer = this.#clock.after(delayMs, () => {
      this.#timer = undefined
      this.#expire(this.#clock.now())
    })
  }

  #expire(nowMs: number): void {
    for (const [holder, dueAtMs] of this.#dueAt) {
      if (dueAtMs > nowMs) {
        // In place of a timer that was set meanwhile, for a write that is due later than this one.
        this.#arm(dueAtMs - nowMs)
        return
      }
      this.#dueAt.delete(holder)
      holder.onWriteTimeout()
    }
  }
}
