/** All workers of a relay. */

import type { ToWorker } from './messages.ts'
import { Seat, type WorkerPort } from './seat.ts'

export class Seats {
  readonly #all = new Set<Seat>()
  #lastNumber = 0

  /** A worker is being started. */
  add(port: WorkerPort): Seat {
    const seat = new Seat(++this.#lastNumber, port)
    this.#all.add(seat)
    return seat
  }

  /** A worker is gone; reports whether it was there. */
  remove(seat: Seat): boolean {
    seat.close()
    return this.#all.delete(seat)
  }

  /** Those that are told everything. */
  get joined(): readonly Seat[] {
    return [...this.#all].filter(({ isJoined }) => isJoined)
  }

  /** Tells all. */
  send(message: ToWorker): void {
    for (const seat of this.#all) if (seat.isJoined) seat.send(message)
  }

  /** Has all end, those that are not joined yet as well. */
  closeAll(): void {
    for (const seat of this.#all) seat.send({ type: 'close' })
  }

  /** Calls `fn` once all have handled what they were told until now. */
  whenAllKnow(fn: () => void): void {
    const seats = this.joined
    let left = seats.length
    if (left === 0) fn()
    for (const seat of seats) {
      seat.whenHandled(() => {
        if (--left === 0) fn()
      })
    }
  }
}
