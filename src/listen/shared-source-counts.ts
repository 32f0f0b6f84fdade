/**
 * Open connections per source, across several threads.
 *
 * Each thread has its own table in shared memory, which only it writes, and looks sources up in the tables of all others.
 * A table has twice as many slots as there may be connections; a source is within a few slots of the one given by its
 * hash.
 */

import type { SourceHash } from './source-hash.ts'

/** Identifies a thread's table. */
export interface CountingThread {
  readonly threads: number
  /** From 0. */
  readonly thread: number
  readonly hash: SourceHash
}

/** This thread's count of a source. */
interface Own {
  count: number
  /** Undefined if no slot was free: other threads do not see it then. */
  readonly at: number | undefined
}

/** Slots probed. With half of all slots taken, so many in a row are almost never occupied. */
const REACH = 32
/** Table size if the number of connections is not limited. */
const DEFAULT_CONNECTIONS = 65_536
/** Words per slot: the source's tag, 0 if free, and its number of connections. */
const WORDS = 2

export class SharedSourceCounts {
  readonly #words: Int32Array
  readonly #places: number
  readonly #threads: number
  readonly #thread: number
  readonly #hash: SourceHash
  readonly #own = new Map<string, Own>()

  /** Memory for the tables of `threads` threads. */
  static createMemory(threads: number, maxConnections: number = DEFAULT_CONNECTIONS): SharedArrayBuffer {
    const places = 2 ** Math.ceil(Math.log2(2 * Math.max(REACH, maxConnections)))
    return new SharedArrayBuffer(threads * places * WORDS * Int32Array.BYTES_PER_ELEMENT)
  }

  constructor(memory: SharedArrayBuffer, { threads, thread, hash }: CountingThread) {
    this.#words = new Int32Array(memory)
    this.#places = this.#words.length / WORDS / threads
    this.#threads = threads
    this.#thread = thread
    this.#hash = hash
  }

  /** Counts another connection of `source`, unless there would be more than `max`. */
  tryOpen(source: string, max: number): boolean {
    this.#hash.update(source)
    const own = this.#count(source)
    let sum = own.count
    for (let thread = 0; thread < this.#threads && sum <= max; thread++) {
      if (thread !== this.#thread) sum += this.#countOf(thread)
    }
    if (sum <= max) return true
    this.close(source)
    return false
  }

  close(source: string): void {
    const own = this.#own.get(source)
    if (own === undefined) return
    own.count--
    if (own.at !== undefined) {
      // Clear the tag first, so that no one sees the count of the next source in this slot.
      if (own.count === 0) Atomics.store(this.#words, own.at, 0)
      Atomics.store(this.#words, own.at + 1, own.count)
    }
    if (own.count === 0) this.#own.delete(source)
  }

  /** Removes the counts of another thread that has ended. */
  forget(thread: number): void {
    const size = this.#places * WORDS
    this.#words.fill(0, thread * size, (thread + 1) * size)
  }

  #count(source: string): Own {
    let own = this.#own.get(source)
    if (own === undefined) {
      own = { count: 0, at: this.#freePlace() }
      this.#own.set(source, own)
    }
    own.count++
    if (own.at !== undefined) {
      Atomics.store(this.#words, own.at + 1, own.count)
      if (own.count === 1) Atomics.store(this.#words, own.at, this.#hash.mark)
    }
    return own
  }

  #freePlace(): number | undefined {
    for (let step = 0; step < REACH; step++) {
      const at = this.#wordAt(this.#thread, step)
      if (Atomics.load(this.#words, at) === 0) return at
    }
    return undefined
  }

  #countOf(thread: number): number {
    const { mark } = this.#hash
    for (let step = 0; step < REACH; step++) {
      const at = this.#wordAt(thread, step)
      if (Atomics.load(this.#words, at) === mark) return Atomics.load(this.#words, at + 1)
    }
    return 0
  }

  /** For the source hashed last. */
  #wordAt(thread: number, step: number): number {
    return (thread * this.#places + ((this.#hash.place + step) % this.#places)) * WORDS
  }
}
