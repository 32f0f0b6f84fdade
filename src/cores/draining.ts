/** Taking all workers of a relay out of service together (P-093, P-174). */

import type { DrainOptions, DrainResult } from '../server/drain.ts'
import type { Seat } from './seat.ts'
import type { Seats } from './seats.ts'

export class Draining {
  readonly #seats: Seats
  /** Workers that still have clients, siblings apart. */
  readonly #withClients = new Set<Seat>()
  /** Called when none has any more. */
  #waiting: (() => void)[] = []
  #lost = 0

  constructor(seats: Seats) {
    this.#seats = seats
  }

  async run({ signal, ...options }: DrainOptions): Promise<DrainResult> {
    const { spreadMs, tryForMs, deadlineMs } = options
    const seats = this.#seats.joined
    for (const seat of seats) this.#withClients.add(seat)
    const answers = seats.map(seat => seat.asking.ask('drain', { spreadMs, tryForMs, deadlineMs }))
    const cut = () => this.#seats.send({ type: 'cut' })
    signal?.addEventListener('abort', cut, { once: true })
    if (signal?.aborted === true) cut()
    const results = await Promise.allSettled(answers)
    signal?.removeEventListener('abort', cut)
    const total = { told: this.#lost, moved: 0, cut: this.#lost }
    for (const result of results) {
      if (result.status === 'rejected') continue
      total.told += result.value.told
      total.moved += result.value.moved
      total.cut += result.value.cut
    }
    return total
  }

  /** A worker has no clients any more; `goOn` is called when that is so of all. */
  onClientsEnded(seat: Seat, goOn: () => void): void {
    this.#waiting.push(goOn)
    this.#withClients.delete(seat)
    this.#goOnWhenAllHave()
  }

  /** A worker is gone, with so many connections. */
  onWorkerGone(seat: Seat, connections: number): void {
    if (!this.#withClients.delete(seat)) return
    this.#lost += connections
    this.#goOnWhenAllHave()
  }

  #goOnWhenAllHave(): void {
    if (this.#withClients.size > 0) return
    const waiting = this.#waiting
    this.#waiting = []
    for (const goOn of waiting) goOn()
  }
}
