/** The network between the relays of a simulated region: reachability and delays. */

import type { RelayId } from '../backplane/stamp.ts'
import type { Random } from './random.ts'
import type { VirtualClock } from './virtual-clock.ts'

/** Minimum and maximum delay in milliseconds. */
export interface Delay {
  readonly minMs: number
  readonly maxMs: number
}

const pairOf = (a: RelayId, b: RelayId) => (a < b ? `${a} ${b}` : `${b} ${a}`)

export class Network {
  readonly clock: VirtualClock
  readonly random: Random
  readonly #delay: Delay
  /** Pairs with cut links, and pairs without messages. */
  readonly #cutLinks = new Set<string>()
  readonly #cutMessages = new Set<string>()
  /** Arrival time of the last message on a path, so that none overtakes it. */
  readonly #arrivals = new Map<string, number>()
  /** Called for each pair whose link is cut. */
  onCut: (a: RelayId, b: RelayId) => void = () => {}

  constructor(clock: VirtualClock, random: Random, delay: Delay) {
    this.clock = clock
    this.random = random
    this.#delay = delay
  }

  /** A random delay. */
  delayMs(): number {
    const { minMs, maxMs } = this.#delay
    return minMs + this.random.next() * (maxMs - minMs)
  }

  /** Runs `fn` when a message sent now on `path` arrives, after all earlier ones. */
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

  /** Cuts links between the two; none can be opened. */
  cutLink(a: RelayId, b: RelayId): void {
    this.#cutLinks.add(pairOf(a, b))
    this.onCut(a, b)
  }

  /** Messages between the two are lost without notice. */
  cutMessages(a: RelayId, b: RelayId): void {
    this.#cutMessages.add(pairOf(a, b))
  }

  heal(): void {
    this.#cutLinks.clear()
    this.#cutMessages.clear()
  }
}
