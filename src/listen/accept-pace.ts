/**
 * Starts few connections per turn of the event loop, so that packets get through in between (P-110).
 *
 * A TLS handshake blocks the loop for as long as hundreds of packets. In a login storm they arrive all at once, and all
 * would be handled before the next packet.
 */

import type { Clock } from '../lib/clock.ts'
import { Fifo } from '../lib/collections/fifo.ts'

/** The part of a connection that is used. */
interface Ending {
  readonly destroyed: boolean
}

/** Connections of one listener waiting to be started, in order of arrival. */
export class AcceptPace<C extends Ending> {
  readonly #clock: Clock
  readonly #perTurn: number
  readonly #begin: (connection: C) => void
  readonly #waiting = new Fifo<C>()
  #begun = 0
  #isScheduled = false

  /** @param perTurn how many are started per turn. */
  constructor(clock: Clock, perTurn: number, begin: (connection: C) => void) {
    this.#clock = clock
    this.#perTurn = perTurn
    this.#begin = begin
  }

  /** Connections not started yet. */
  get waiting(): number {
    return this.#waiting.length
  }

  /** Starts a connection now or in a later turn. */
  add(connection: C): void {
    this.#waiting.push(connection)
    this.#beginSome()
  }

  #beginSome(): void {
    while (this.#begun < this.#perTurn) {
      const connection = this.#waiting.take()
      if (connection === undefined) break
      // It may have been closed while waiting.
      if (connection.destroyed) continue
      this.#begun++
      this.#begin(connection)
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
