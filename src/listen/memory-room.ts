/**
 * Whether there is memory for another connection (P-109): a relay that runs out of it dies with all its connections, one
 * that refuses new ones keeps those it has.
 */

import type { Clock } from '../lib/clock.ts'
import { memoryInUse } from '../lib/node-memory.ts'

/** Share of the memory that may be in use when another connection is accepted. */
export const MAX_MEMORY_IN_USE = 0.85
/** Milliseconds for which an answer is cached: a burst of connections asks thousands of times. */
const HOLDS_MS = 20
/** Minimum milliseconds between garbage collections, which pause everything for 60 µs per client. */
const COLLECT_MS = 5_000
/** Garbage collections may take at most this fraction of the time: 1 / n. */
const COLLECT_PARTS = 50

export interface MemoryRoomPorts {
  readonly clock: Clock
  /** The used part of the memory, from 0 to 1. Default: of this process. */
  readonly inUse?: () => number
  /** Collects garbage: otherwise nothing may do so for hours. */
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
    this.#hasRoom = this.#inUse() < MAX_MEMORY_IN_USE
    if (!this.#hasRoom && nowMs >= this.#collectAtMs) void this.#collectOnce(nowMs)
    return this.#hasRoom
  }

  async #collectOnce(startMs: number): Promise<void> {
    this.#collectAtMs = Number.POSITIVE_INFINITY
    // If it fails, only this attempt is lost.
    await this.#collect().catch(() => {})
    const endMs = this.#clock.now()
    this.#collectAtMs = endMs + Math.max(COLLECT_MS, COLLECT_PARTS * (endMs - startMs))
  }
}
