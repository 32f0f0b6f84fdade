/**
 * Closes connections that do not take a write in time (P-101), with one timer for all of them.
 *
 * All writes of one instance have the same limit, so the first to start is the first due.
 */

import type { Clock, Timer } from '../../lib/clock.ts'

/** A timer that is late by more has waited for a stall: of this thread, its process or the machine. */
const STALL_MS = 500
/** Milliseconds after a stall in which writes may be reported that were done in the meantime. */
const AFTER_STALL_MS = 200

/** Something with a pending write. */
export interface DeadlineHolder {
  /** The write was not finished in time. */
  onWriteTimeout(): void
}

/** @typeParam H what has writes. */
export class WriteDeadlines<H extends DeadlineHolder = DeadlineHolder> {
  readonly #clock: Clock
  readonly #timeoutMs: number
  readonly #dueAt = new Map<H, number>()
  #timer: Timer | undefined

  /** @param timeoutMs milliseconds per write; 0 for no limit. */
  constructor(clock: Clock, timeoutMs: number) {
    this.#clock = clock
    this.#timeoutMs = timeoutMs
  }

  /** A write starts at `nowMs`. A holder has at most one. */
  begin(holder: H, nowMs: number): void {
    const isLimited = this.#timeoutMs !== 0
    this.#dueAt.set(holder, isLimited ? nowMs + this.#timeoutMs : Number.POSITIVE_INFINITY)
    if (isLimited && this.#timer === undefined) this.#arm(this.#timeoutMs)
  }

  /** The holder's write has finished. */
  end(holder: H): void {
    this.#dueAt.delete(holder)
  }

  /** What has writes under way, the oldest first. */
  pending(): Iterable<H> {
    return this.#dueAt.keys()
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
    const dueMs = this.#clock.now() + delayMs
    this.#timer = this.#clock.after(delayMs, () => {
      this.#timer = undefined
      const nowMs = this.#clock.now()
      if (nowMs - dueMs > STALL_MS) this.#arm(AFTER_STALL_MS)
      else this.#expire(nowMs)
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
