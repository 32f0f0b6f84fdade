/** What lies between the relays of a simulated region: which of them reach each other at present, and how long it takes. */

import type { RelayId } from '../backplane/stamp.ts'
import type { Random } from './random.ts'
import type { VirtualClock } from './virtual-clock.ts'

/** Least and greatest delay of anything, in milliseconds. */
export interface Delay {
  readonly minMs: number
  readonly maxMs: number
}

const pairOf = (a: RelayId, b: RelayId) => (a < b ? `${a} ${b}` : `${b} ${a}`)

export class Network {
  readonly clock: VirtualClock
  readonly random: Random
  readonly #delay: Delay
  /** Pairs whose links are cut, and pairs between which no messages pass. */
  readonly #cutLinks = new Set<string>()
  readonly #cutMessages = new Set<string>()
  /** When the last thing on a path arrives, so that nothing overtakes it. */
  readonly #arrivals = new Map<string, number>()
  /** Told of each pair whose link is cut. */
  onCut: (a: RelayId, b: RelayId) => void = () => {}

  constructor(clock: VirtualClock, random: Random, delay: Delay) {
    this.clock = clock
    this.random = random
    this.#delay = delay
  }

  /** A delay at random. */
  delayMs(): number {
    const { minMs, maxMs } = this.#delay
    return minMs + this.random.next() * (maxMs - minMs)
  }

  /** Runs `fn` when something sent now on `path` arrives: after all that was sent on it before. */
  arrive(path: string, fn: () => void): void {
    const nowMs = this.clock.now()
    const atMs = Math.max(nowMs + this.delayMs(), this.#arrivals.get(path) ?? 0)
    this.#arrivals.set(path, atMs)
    this.clock.after(atMs - nowMs, fn)
  }

  canLink(a: RelayId, b: RelayId): boolean {
    return !this.#cutLinks.has(pairOf(a, b))
  }

  canTell(a: RelayId, b: RelayId): boolean {
    return !this.#cutMessages.has(pairOf(a, b))
  }

  /** No link between the two holds or can be opened. */
  cutLink(a: RelayId, b: RelayId): void {
    this.#cutLinks.add(pairOf(a, b))
    this.onCut(a, b)
  }

  /** Messages between the two are lost, which neither notices. */
  cutMessages(a: RelayId, b: RelayId): void {
    this.#cutMessages.add(pairOf(a, b))
  }

  mend(): void {
    this.#cutLinks.clear()
    this.#cutMessages.clear()
  }
}
