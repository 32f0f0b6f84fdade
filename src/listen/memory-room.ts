/**
 * Whether there is memory for another connection (P-109): a relay that runs out of it dies with all its connections, one
 * that refuses new ones keeps those it has.
 */

import type { Clock } from '../lib/clock.ts'
import { memoryInUse } from '../lib/node-memory.ts'

/** The part of the memory that may be in use when another connection is accepted. */
export const MOST_MEMORY_IN_USE = 0.85
/** Milliseconds for which an answer holds: a burst of connections asks thousands of times. */
const HOLDS_MS = 20
/** Least milliseconds between collections of garbage, which pause everything: 60 µs for each client. */
const COLLECT_MS = 5_000
/** Of the time, collections may take one part in so many. */
const COLLECT_PARTS = 50

export interface MemoryRoomPorts {
  readonly clock: Clock
  /** The used part of the memory, from 0 to 1. Default: of this process. */
  readonly inUse?: () => number
  /** Frees what is only garbage: nothing else may want memory, and so free it, for hours. */
  readonly collect: () => Promise<unknown>
}

export class MemoryRoom {
  readonly #clock: Clock
  readonly #inUse: () => number
  readonly #collect: () => Promise<unknown>
  #askedAtMs = Number.NEGATIVE_INFINITY
  /** When garbage may be collected again. */
  #collectAtMs = Number.NEGATIVE_INFINITY
  #hasRoom = true

  constructor({ clock, inUse = memoryInUse, collect }: MemoryRoomPorts) {
    this.#clock = clock
    this.#inUse = inUse
    this.#collect = collect
  }

  readonly hasRoom = (): boolean => {
    const nowMs = this.#clock.now()
    if (nowMs - this.#askedAtMs < HOLDS_MS) return this.#hasRoom
    this.#askedAtMs = nowMs
    this.#hasRoom = this.#inUse() < MOST_MEMORY_IN_USE
    if (!this.#hasRoom && nowMs >= this.#collectAtMs) void this.#collectOnce(nowMs)
    return this.#hasRoom
  }

  async #collectOnce(startMs: number): Promise<void> {
    this.#collectAtMs = Number.POSITIVE_INFINITY
    // Nothing is lost if it fails but the attempt.
    await this.#collect().catch(() => {})
    const endMs = this.#clock.now()
    this.#collectAtMs = endMs + Math.max(COLLECT_MS, COLLECT_PARTS * (endMs - startMs))
  }
}
