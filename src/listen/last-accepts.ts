/**
 * Closes a listener when nothing waits in its queue: the system resets what is in there, and the other processes that
 * share the port do not get it (P-177).
 *
 * Runtimes take connections from the queue one by one, one per turn of the event loop.
 */

import type { Clock } from '../lib/clock.ts'

/** Turns after which it is closed in any case: under a flood the queue is never empty. */
const MAX_TURNS = 1_000

export class LastAccepts {
  readonly #clock: Clock
  readonly #close: () => void
  #hasAccepted = false
  #turns = 0

  constructor(clock: Clock, close: () => void) {
    this.#clock = clock
    this.#close = close
  }

  /** A connection was accepted. */
  accepted(): void {
    this.#hasAccepted = true
  }

  /** Closes after the first whole turn that brings none. */
  finish(): void {
    if (this.#turns > 0) return
    this.#turns = 1
    this.#clock.afterTurn(() => this.#next())
  }

  #next(): void {
    this.#turns++
    this.#hasAccepted = false
    this.#clock.afterTurn(() => {
      if (this.#hasAccepted && this.#turns < MAX_TURNS) this.#next()
      else this.#close()
    })
  }
}
