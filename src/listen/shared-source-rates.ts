/**
 * Rate limits per source across several threads, in fixed memory.
 *
 * A set-associative table: a source has one word in the set given by its hash, containing the time at which its bucket is
 * full and a tag. In a full set, the source whose bucket is full first is evicted.
 */

import { microseconds, SharedRate } from '../lib/rate/shared-rate.ts'
import type { SourceLimit } from '../lib/rate/source-limiter.ts'
import type { SourceHash } from './source-hash.ts'

/** Slots per set. */
const WAYS = 8
/** With as many sources as `SourceLimiter` tracks, only one set in a thousand is full. */
const SETS = 4_096
/** Bits of a word for the time; the bits above are the tag. */
const TIME_BITS = 48n
const TIME_MASK: bigint = (1n << TIME_BITS) - 1n

export class SharedSourceRates {
  readonly #words: BigInt64Array
  readonly #rate: SharedRate
  readonly #hash: SourceHash

  static createMemory(): SharedArrayBuffer {
    return new SharedArrayBuffer(SETS * WAYS * BigInt64Array.BYTES_PER_ELEMENT)
  }

  constructor(memory: SharedArrayBuffer, limit: SourceLimit, hash: SourceHash) {
    this.#words = new BigInt64Array(memory)
    this.#rate = new SharedRate(limit)
    this.#hash = hash
  }

  /** Takes a token of `source` if available. */
  tryTake(source: string, nowMs: number): boolean {
    this.#hash.update(source)
    const nowUs = microseconds(nowMs)
    const tag = BigInt(this.#hash.mark >> 16) << TIME_BITS
    const first = (this.#hash.place % SETS) * WAYS
    for (;;) {
      const at = this.#find(first, tag)
      const word = Atomics.load(this.#words, at)
      const fullUs = tagOf(word) === tag ? word & TIME_MASK : 0n
      const next = this.#rate.next(fullUs, nowUs)
      if (next === undefined) return false
      // Another thread may have changed the word meanwhile.
      if (Atomics.compareExchange(this.#words, at, word, tag | next) === word) return true
    }
  }

  /** The word of the source, or the one to evict: all threads choose the same. */
  #find(first: number, tag: bigint): number {
    let found = first
    let soonestUs = TIME_MASK
    for (let at = first; at < first + WAYS; at++) {
      const word = Atomics.load(this.#words, at)
      if (tagOf(word) === tag && word !== 0n) return at
      const fullUs = word & TIME_MASK
      if (fullUs >= soonestUs) continue
      soonestUs = fullUs
      found = at
    }
    return found
  }
}

function tagOf(word: bigint): bigint {
  return (word >> TIME_BITS) << TIME_BITS
}
