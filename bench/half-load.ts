/** Determines the packet rate of half load. */

import type { BenchRelay, Carriage } from './contender.ts'
import { type LoadCommand, runLoad } from './load-program.ts'

/** Provides a running relay. */
export type RelayLoan = (carriage: Carriage, use: (relay: BenchRelay) => Promise<number>) => Promise<number>

/**
 * Half of the maximum packet rate of the relay that ours is compared with.
 *
 * All relays get the same rate: at half of its own maximum, the faster one would have a higher load.
 */
export class HalfLoad {
  readonly #load: LoadCommand
  readonly #lend: RelayLoan
  readonly #found = new Map<Carriage, Promise<number>>()

  constructor(load: LoadCommand, lend: RelayLoan) {
    this.#load = load
    this.#lend = lend
  }

  /** In packets per second; measured on first use. */
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
