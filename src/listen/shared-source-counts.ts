/**
 * Open connections by source, of several threads together.
 *
 * Each thread has a table of its own in the shared memory that only it writes, and looks the source up in those of all
 * others. A table has twice as many places as there may be connections; a source lies within a few places of the one
 * that its hash names.
 */

import type { SourceHash } from './source-hash.ts'

/** Whose table is which. */
export interface CountingThread {
  readonly threads: number
  /** From 0. */
  readonly thread: number
  readonly hash: SourceHash
}

/** What this thread has counted of a source. */
interface Own {
  count: number
  /** Undefined where no place was free: then other threads do not see it. */
  readonly at: number | undefined
}

/** Places that are looked at. With half of all places taken, hardly ever are so many taken in a row. */
const REACH = 32
/** Where the number of connections is not limited. */
const DEFAULT_CONNECTIONS = 65_536
/** Words of a place: the mark of the source, 0 for none, and the number of its connections. */
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

  /** Counts one more connection of `source`, unless there would be more than `max`. */
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
      // The mark goes first, so that nobody finds the count of the next source that comes here.
      if (own.count === 0) Atomics.store(this.#words, own.at, 0)
      Atomics.store(this.#words, own.at + 1, own.count)
    }
    if (own.count === 0) this.#own.delete(source)
  }

  /** Takes out what another thread, which has ended, had counted. */
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

  /** Of the source that was hashed last. */
  #wordAt(thread: number, step: number): number {
    return (thread * this.#places + ((this.#hash.place + step) % this.#places)) * WORDS
  }
}
