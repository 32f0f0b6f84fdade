/**
 * Begins few connections in each turn of the event loop, so that packets go in between (P-110).
 *
 * A TLS handshake holds the loop for as long as hundreds of packets do. Those of a storm of logins come all at once,
 * and would all be seen to before the next packet.
 */

import type { Clock } from '../lib/clock.ts'

/** As much of a connection as is looked at. */
interface Ending {
  readonly destroyed: boolean
}

/** Connections of one listener that wait to be begun, in the order they came. */
export class AcceptPace<C extends Ending> {
  readonly #clock: Clock
  readonly #perTurn: number
  readonly #begin: (connection: C) => void
  #waiting: C[] = []
  /** Where in them the first is that still waits. */
  #first = 0
  #begun = 0
  #isScheduled = false

  /** @param perTurn how many are begun in one turn. */
  constructor(clock: Clock, perTurn: number, begin: (connection: C) => void) {
    this.#clock = clock
    this.#perTurn = perTurn
    this.#begin = begin
  }

  /** Connections that are not begun yet. */
  get waiting(): number {
    return this.#waiting.length - this.#first
  }

  /** Begins a connection now or in a turn to come. */
  add(connection: C): void {
    this.#waiting.push(connection)
    this.#beginSome()
  }

  #beginSome(): void {
    while (this.#begun < this.#perTurn && this.waiting > 0) {
      const connection = this.#waiting[this.#first++] as C
      // Whoever has waited may have left.
      if (connection.destroyed) continue
      this.#begun++
      this.#begin(connection)
    }
    if (this.waiting === 0) {
      this.#waiting = []
      this.#first = 0
    }
    if (this.#isScheduled || this.#begun === 0) return
    this.#isScheduled = true
    this.#clock.afterTurn(this.#nextTurn)
  }

  readonly #nextTurn = (): void => {
    this.#isScheduled = false
    this.#begun = 0
    this.#beginSome()
  }
}
