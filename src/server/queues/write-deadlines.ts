/**
 * Closes connections that do not take a write in time (P-101), with one timer for all of them.
 *
 * All writes of one instance have the same limit, so the first to start is the first due.
 */

import type { Clock, Timer } from '../../lib/clock.ts'

/** Something with a pending write. */
export interface DeadlineHolder {
  /** The write was not finished in time. */
  onWriteTimeout(): void
}

export class WriteDeadlines {
  readonly #clock: Clock
  readonly #timeoutMs: number
  readonly #dueAt = new Map<DeadlineHolder, number>()
  #timer: Timer | undefined

  /** @param timeoutMs milliseconds per write; 0 for no limit. */
  constructor(clock: Clock, timeoutMs: number) {
    this.#clock = clock
    this.#timeoutMs = timeoutMs
  }

  /** A write starts at `nowMs`. A holder has at most one. */
  begin(holder: DeadlineHolder, nowMs: number): void {
    if (this.#timeoutMs === 0) return
    this.#dueAt.set(holder, nowMs + this.#timeoutMs)
    if (this.#timer === undefined) this.#arm(this.#timeoutMs)
  }

  /** The holder's write has finished. */
  end(holder: DeadlineHolder): void {
    this.#dueAt.delete(holder)
  }

  /** Drops all writes. */
  close(): void {
    this.#dueAt.clear()
    this.#timer?.cancel()
    this.#timer = undefined
  }

  // The timer stays armed when its write ends: it arms for the next one when it fires.
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
        // Replaces a timer set meanwhile for a write that is due later.
        this.#arm(dueAtMs - nowMs)
        return
      }
      this.#dueAt.delete(holder)
      holder.onWriteTimeout()
    }
  }
}
