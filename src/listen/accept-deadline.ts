/**
 * One deadline for each connection from TCP accept to what it came for: a login, or an HTTP request (P-035).
 *
 * `node:http` forgets a connection once it is upgraded, and a TLS server shows the raw socket only at first; so the
 * time is kept here, by the addresses of both ends.
 */

import type { Socket } from 'node:net'
import type { Clock, Timer } from '../lib/clock.ts'
import { TimerQueue } from '../lib/timer-queue.ts'
import { connectionId } from './connection-id.ts'

interface Accepted {
  readonly atMs: number
  readonly timer: Timer
  readonly socket: Socket
}

export class AcceptDeadlines {
  readonly #clock: Clock
  readonly #timers: TimerQueue
  readonly #timeoutMs: number
  readonly #onExpired: (socket: Socket) => void
  readonly #accepted = new Map<string, Accepted>()

  /** @param onExpired called after the socket was destroyed for being too slow. */
  constructor(clock: Clock, timeoutMs: number, onExpired: (socket: Socket) => void) {
    this.#clock = clock
    this.#timers = new TimerQueue(clock)
    this.#timeoutMs = timeoutMs
    this.#onExpired = onExpired
  }

  /** Connections that have not said yet what they want. */
  get pending(): number {
    return this.#accepted.size
  }

  /** A raw connection was accepted. */
  begin(socket: Socket): void {
    if (socket.remoteAddress === undefined) {
      // Reset before it could be looked at.
      socket.destroy()
      return
    }
    const id = connectionId(socket)
    const timer = this.#timers.after(this.#timeoutMs, () => {
      this.#accepted.delete(id)
      socket.destroy()
      this.#onExpired(socket)
    })
    this.#accepted.set(id, { atMs: this.#clock.now(), timer, socket })
    // Its addresses may be in use again by the time an old connection is reported closed.
    socket.once('close', () => {
      if (this.#accepted.get(id)?.socket === socket) this.#end(id)
    })
  }

  /** Ends all connections that have not said what they want. */
  destroyPending(): void {
    for (const { socket } of this.#accepted.values()) socket.destroy()
  }

  /**
   * The connection, raw or TLS, has said what it wants.
   *
   * @returns when it was accepted, in milliseconds of the clock; undefined if that is not known (any more).
   */
  end(socket: Socket): number | undefined {
    return this.#end(connectionId(socket))
  }

  #end(id: string): number | undefined {
    const accepted = this.#accepted.get(id)
    if (accepted === undefined) return undefined
    accepted.timer.cancel()
    this.#accepted.delete(id)
    return accepted.atMs
  }
}
