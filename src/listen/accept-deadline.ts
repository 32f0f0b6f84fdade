/** One deadline for each connection from TCP accept to what it came for: a login, or an HTTP request (P-035). */

import type { Socket } from 'node:net'
import type { Clock, Timer } from '../lib/clock.ts'
import { TimerQueue } from '../lib/timer-queue.ts'

/** The deadline of one connection. */
export interface AcceptDeadline {
  /** When the connection was accepted, in milliseconds of the clock. */
  readonly acceptedAtMs: number
  /** The client has said what it wants. */
  lift(): void
}

export class AcceptDeadlines {
  readonly #clock: Clock
  readonly #timers: TimerQueue
  readonly #timeoutMs: number
  readonly #onExpired: (socket: Socket) => void
  readonly #pending = new Set<Pending>()

  /** @param onExpired called after the socket was destroyed for being too slow. */
  constructor(clock: Clock, timeoutMs: number, onExpired: (socket: Socket) => void) {
    this.#clock = clock
    this.#timers = new TimerQueue(clock)
    this.#timeoutMs = timeoutMs
    this.#onExpired = onExpired
  }

  /** Connections whose clients have not said yet what they want. */
  get pending(): number {
    return this.#pending.size
  }

  /** Starts the deadline of a connection that was accepted now. */
  begin(socket: Socket): AcceptDeadline {
    const timer = this.#timers.after(this.#timeoutMs, () => {
      pending.lift()
      socket.destroy()
      this.#onExpired(socket)
    })
    const pending = new Pending(socket, this.#clock.now(), timer, this.#pending)
    return pending
  }

  /** Ends all connections whose clients have not said what they want. */
  destroyPending(): void {
    for (const { socket } of this.#pending) socket.destroy()
  }
}

class Pending implements AcceptDeadline {
  readonly socket: Socket
  readonly acceptedAtMs: number
  readonly #timer: Timer
  readonly #all: Set<Pending>

  constructor(socket: Socket, acceptedAtMs: number, timer: Timer, all: Set<Pending>) {
    this.socket = socket
    this.acceptedAtMs = acceptedAtMs
    this.#timer = timer
    this.#all = all
    all.add(this)
    socket.once('close', this.lift)
  }

  readonly lift = (): void => {
    this.#timer.cancel()
    this.#all.delete(this)
    this.socket.off('close', this.lift)
  }
}
