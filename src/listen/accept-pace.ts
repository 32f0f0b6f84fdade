/**
 * Begins few connections in each turn of the event loop, so that packets go in between (P-110).
 *
 * A TLS handshake holds the loop for as long as hundreds of packets do. Those of a storm of logins come all at once,
 * and would all be seen to before the next packet.
 */

import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { Clock } from '../lib/clock.ts'

/** Connections of one server that wait to be begun, in the order they came. */
export class AcceptPace {
  readonly #clock: Clock
  readonly #perTurn: number
  readonly #begin: (socket: Socket) => void
  #waiting: Socket[] = []
  /** Where in them the first is that still waits. */
  #first = 0
  #begun = 0
  #isScheduled = false

  /** @param perTurn how many are begun in one turn. */
  constructor(clock: Clock, perTurn: number, begin: (socket: Socket) => void) {
    this.#clock = clock
    this.#perTurn = perTurn
    this.#begin = begin
  }

  /** Connections that are not begun yet. */
  get waiting(): number {
    return this.#waiting.length - this.#first
  }

  /** Begins a connection now or in a turn to come. */
  add(socket: Socket): void {
    this.#waiting.push(socket)
    this.#beginSome()
  }

  #beginSome(): void {
    while (this.#begun < this.#perTurn && this.waiting > 0) {
      const socket = this.#waiting[this.#first++] as Socket
      // Whoever has waited may have left.
      if (socket.destroyed) continue
      this.#begun++
      this.#begin(socket)
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

/** Stands before all that listens for connections of `server` so far. */
export function paceConnections(server: Server, clock: Clock, perTurn: number): void {
  const serve = server.listeners('connection')
  server.removeAllListeners('connection')
  const pace = new AcceptPace(clock, perTurn, socket => {
    for (const listener of serve) Reflect.apply(listener, server, [socket])
  })
  server.on('connection', (socket: Socket) => pace.add(socket))
}
