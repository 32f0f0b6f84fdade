/** Finds at how many packets per second relays are half loaded. */

import type { BenchRelay, Carriage } from './contender.ts'
import { type LoadCommand, runLoad } from './load-program.ts'

/** Lends a running relay. */
export type RelayLoan = (carriage: Carriage, use: (relay: BenchRelay) => Promise<number>) => Promise<number>

/**
 * Half of the most that one relay, the one that ours is compared with, passes on.
 *
 * All relays get the same load: at half of its own most, the faster one would be asked for more.
 */
export class HalfLoad {
  readonly #load: LoadCommand
  readonly #lend: RelayLoan
  readonly #found = new Map<Carriage, Promise<number>>()

  constructor(load: LoadCommand, lend: RelayLoan) {
    this.#load = load
    this.#lend = lend
  }

  /** In packets per second; measured when first asked for. */
  of(carriage: Carriage): Promise<number> {
    const found = this.#found.get(carriage) ?? this.#lend(carriage, relay => this.#measure(relay))
    this.#found.set(carriage, found)
    return found
  }

  async #measure(relay: BenchRelay): Promise<number> {
    const { packets, seconds } = await runLoad(this.#load, 'flow', relay, { size: 1280, pairs: 20, duration: '3s' })
    return Math.round(packets / seconds / 2)
  }
}
