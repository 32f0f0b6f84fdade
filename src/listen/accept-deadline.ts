/** One deadline per connection, from TCP accept to its login or HTTP request (P-035). */

import type { Socket } from 'node:net'
import type { Clock, Timer } from '../lib/clock.ts'
import { TimerQueue } from '../lib/timer-queue.ts'

/** The deadline of one connection. */
export interface AcceptDeadline {
  /** When the connection was accepted, in milliseconds of the clock. */
  readonly acceptedAtMs: number
  /** The client has made its request. */
  lift(): void
}

export class AcceptDeadlines {
  readonly #clock: Clock
  readonly #timers: TimerQueue
  readonly #timeoutMs: number
  readonly #onExpired: (socket: Socket) => void
  readonly #pending = new Set<Pending>()

  /** @param onExpired called after a socket was destroyed for being too slow. */
  constructor(clock: Clock, timeoutMs: number, onExpired: (socket: Socket) => void) {
    this.#clock = clock
    this.#timers = new TimerQueue(clock)
    this.#timeoutMs = timeoutMs
    this.#onExpired = onExpired
  }

  /** Connections that have not made a request yet. */
  get pending(): number {
    return this.#pending.size
  }

  /** Starts the deadline of a connection accepted now. */
  begin(socket: Socket): AcceptDeadline {
    const timer = this.#timers.after(this.#timeoutMs, () => {
      pending.lift()
      socket.destroy()
      this.#onExpired(socket)
    })
    const pending = new Pending(socket, this.#clock.now(), timer, this.#pending)
    return pending
  }

  /** Closes all connections that have not made a request yet. */
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
