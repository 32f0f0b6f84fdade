/**
 * Passes socket data to a WebSocket in small pieces, within a budget per turn of the event loop (P-111).
 *
 * The library handles all messages of a piece at once, and thousands fit into what a socket reads. The socket does not
 * flow: its `data` events come from the reads here.
 */

import type { Socket } from 'node:net'
import { Readable } from 'node:stream'
import type { Clock } from '../../lib/clock.ts'
import { TurnBudget, type TurnLimits, type TurnShare, turnShareOf } from '../../transport/turn-share.ts'

/** The shortest messages have six bytes. */
const PIECE_BYTES = 2 << 10
/** Messages of any kind, and bytes. */
const TURN_LIMITS: TurnLimits = { pieces: 64, bytes: 256 << 10 }

export class WebSocketInput {
  readonly #socket: Socket
  readonly #share: TurnShare
  readonly #budget: TurnBudget
  #messages = 0
  #isPaused = false
  #isYielding = false
  #isReading = false

  /** @param socket of an open WebSocket, which reads by `data` events. */
  constructor(socket: Socket, clock: Clock) {
    this.#socket = socket
    this.#share = turnShareOf(clock)
    this.#budget = new TurnBudget(this.#share, TURN_LIMITS)
    // From now on the socket neither flows nor can be made to.
    socket.on('readable', () => this.#read())
  }

  /** The WebSocket has received a message, ping or pong. */
  noteMessage(): void {
    this.#messages++
  }

  pause(): void {
    this.#isPaused = true
  }

  resume(): void {
    this.#isPaused = false
    this.#read()
  }

  #read(): void {
    // A message that is being handled may resume the connection.
    if (this.#isReading) return
    this.#isReading = true
    try {
      while (!this.#isPaused && !this.#isYielding && this.#readPiece());
    } finally {
      this.#isReading = false
    }
  }

  /** Returns whether there may be more. */
  #readPiece(): boolean {
    const socket = this.#socket
    // Reading nothing starts the next read, and ends the stream when it is at its end. The method is the stream's: Bun's
    // own makes the socket read on, however much waits here.
    const piece: unknown = Readable.prototype.read.call(socket, Math.min(socket.readableLength, PIECE_BYTES))
    const messages = this.#messages
    this.#messages = 0
    if (!(piece instanceof Uint8Array)) return false
    if (!this.#budget.charge(messages, piece.length)) this.#yieldTurn()
    return true
  }

  #yieldTurn(): void {
    this.#isYielding = true
    this.#share.wait(() => {
      this.#isYielding = false
      this.#read()
    })
  }
}
