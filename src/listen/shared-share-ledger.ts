/**
 * The ledger of a relay on several threads, which divide one rate (P-105).
 *
 * The line is taken by an atomic exchange, so its rate is exact. The rest only decides whose turn it is: each thread writes
 * its own numbers, and one read too early costs a frame's place.
 */

import { microseconds } from '../lib/rate/shared-rate.ts'
import { CATCH_UP_MS, maxAheadMs, type ShareLedger } from '../server/reading/share-ledger.ts'

/** Milliseconds without a check after which a thread may hang: the others no longer wait for it. */
const STALE_MS = 150
/** The first word is the time at which the line is free, in microseconds; the next number the service. */
const LINE = 0
const SERVED = 1
const HEAD = 2
/** Numbers per thread: waiting clients, the first's service, and when it was published. */
const PER_THREAD = 3
const US_PER_MS = 1_000

export class SharedShareLedger implements ShareLedger {
  readonly #line: BigInt64Array
  readonly #numbers: Float64Array
  readonly #own: number
  #lookedAtMs = Number.NEGATIVE_INFINITY

  /** Memory for `threads` threads. */
  static createMemory(threads: number): SharedArrayBuffer {
    return new SharedArrayBuffer((HEAD + threads * PER_THREAD) * Float64Array.BYTES_PER_ELEMENT)
  }

  /** Removes what a thread that has ended was waiting for. */
  static forget(memory: SharedArrayBuffer, thread: number): void {
    new Float64Array(memory).fill(0, HEAD + thread * PER_THREAD, HEAD + (thread + 1) * PER_THREAD)
  }

  /** @param thread index of this thread, unique among them. */
  constructor(memory: SharedArrayBuffer, thread: number) {
    this.#line = new BigInt64Array(memory)
    this.#numbers = new Float64Array(memory)
    this.#own = HEAD + thread * PER_THREAD
  }

  get waiting(): number {
    let sum = 0
    for (let at = HEAD; at < this.#numbers.length; at += PER_THREAD) sum += this.#numbers[at] ?? 0
    return sum
  }

  get served(): number {
    return this.#numbers[SERVED] ?? 0
  }

  get firstElsewhere(): number {
    let first = Number.POSITIVE_INFINITY
    for (let at = HEAD; at < this.#numbers.length; at += PER_THREAD) {
      const [waiting = 0, start = 0, publishedAtMs = 0] = this.#numbers.subarray(at, at + PER_THREAD)
      if (at !== this.#own && waiting > 0 && publishedAtMs > this.#lookedAtMs - STALE_MS) first = Math.min(first, start)
    }
    return first
  }

  advance(start: number): void {
    if (start > this.served) this.#numbers[SERVED] = start
  }

  publish(waiting: number, first: number, nowMs: number): void {
    this.#lookedAtMs = nowMs
    this.#numbers.set([waiting, first, nowMs], this.#own)
  }

  tryTake(bytes: number, bytesPerMs: number, nowMs: number): number {
    const nowUs = microseconds(nowMs)
    const [catchUpUs, maxAheadUs] = [microseconds(CATCH_UP_MS), microseconds(maxAheadMs(bytesPerMs))]
    const costUs = microseconds(bytes / bytesPerMs)
    for (;;) {
      const found = Atomics.load(this.#line, LINE)
      const aheadUs = found - nowUs
      if (aheadUs > 0n && aheadUs <= maxAheadUs) return Number(aheadUs) / US_PER_MS
      // Further ahead it can only be since the rate was raised.
      if (aheadUs > 0n) Atomics.compareExchange(this.#line, LINE, found, nowUs + maxAheadUs)
      else {
        const next = (aheadUs < -catchUpUs ? nowUs - catchUpUs : found) + costUs
        if (Atomics.compareExchange(this.#line, LINE, found, next) === found) return 0
      }
    }
  }
}
