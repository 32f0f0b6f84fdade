/**
 * Ends HTTP connections whose client is too slow (P-107).
 *
 * The time up to its first request is that of P-035. From then on one timer runs: while a reply is made, while the
 * client takes it, and until the next request.
 */

import type { Clock, Timer } from '../lib/clock.ts'
import { TimerQueue, type Timers } from '../lib/timer-queue.ts'

export interface HttpTimeouts {
  /** Milliseconds to make a reply. */
  readonly makeMs: number
  /** Milliseconds for the client to take a reply, or one piece of it. */
  readonly takeMs: number
  /** Milliseconds from a reply to the head of the next request. */
  readonly nextMs: number
}

export class HttpDeadlines {
  readonly #timers: TimerQueue
  readonly #timeouts: HttpTimeouts

  constructor(clock: Clock, timeouts: HttpTimeouts) {
    this.#timers = new TimerQueue(clock)
    this.#timeouts = timeouts
  }

  /** The deadline of one more connection. @param end called when it is too slow. */
  forConnection(end: () => void): HttpDeadline {
    return new HttpDeadline(this.#timers, this.#timeouts, end)
  }
}

export class HttpDeadline {
  readonly #timers: Timers
  readonly #timeouts: HttpTimeouts
  readonly #end: () => void
  #timer: Timer | undefined
  #unanswered = 0

  constructor(timers: Timers, timeouts: HttpTimeouts, end: () => void) {
    this.#timers = timers
    this.#timeouts = timeouts
    this.#end = end
  }

  /** No reply is due. */
  get isIdle(): boolean {
    return this.#unanswered === 0
  }

  /** A request has arrived; earlier ones may still be unanswered. */
  requested(): void {
    this.#unanswered++
    this.#set(this.#timeouts.makeMs)
  }

  /** The client has a reply to take, or a piece of it. */
  taking(): void {
    this.#set(this.#timeouts.takeMs)
  }

  /** The client has taken a piece; the next one has no time limit until it is there. */
  taken(): void {
    this.#timer?.cancel()
  }

  /** A reply is complete, or its connection is closed. */
  answered(): void {
    this.#unanswered--
    this.#set(this.isIdle ? this.#timeouts.nextMs : this.#timeouts.makeMs)
  }

  /** The connection is closed, or upgraded. */
  cancel(): void {
    this.#timer?.cancel()
  }

  #set(ms: number): void {
    this.#timer?.cancel()
    this.#timer = this.#timers.after(ms, this.#end)
  }
}
