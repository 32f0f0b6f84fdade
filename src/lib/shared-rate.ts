/**
 * Rates that several threads keep to together, in memory that they share: a token bucket as one number.
 *
 * The number is the time at which the bucket will be full again. Each take moves it by what one token needs; it may be
 * so far ahead as all tokens need. One atomic exchange takes a token, so no thread waits for another, and one that ends
 * in the middle leaves nothing behind.
 */

import type { TokenBucketOptions } from './token-bucket.ts'

/** What one thread needs to know of a rate, in microseconds. */
export class SharedRate {
  /** For a token to come. */
  readonly #intervalUs: bigint
  /** How far ahead the bucket may be when one more token is taken. */
  readonly #toleranceUs: bigint

  /** A token takes whole microseconds, one at least, and {@link MAX_INTERVAL_US} at most. */
  constructor({ perSecond, burst }: TokenBucketOptions) {
    const intervalUs = Math.min(MAX_INTERVAL_US, Math.max(1, Math.round(1e6 / perSecond)))
    this.#intervalUs = BigInt(intervalUs)
    this.#toleranceUs = BigInt(Math.min(MAX_TOLERANCE_US, Math.max(0, Math.floor((burst - 1) * intervalUs))))
  }

  /** When the bucket is full after one more token, if it is at `fullUs` before; undefined if there is no token. */
  next(fullUs: bigint, nowUs: bigint): bigint | undefined {
    if (fullUs - nowUs > this.#toleranceUs) return undefined
    return (fullUs > nowUs ? fullUs : nowUs) + this.#intervalUs
  }

  /** Takes a token of the bucket at `words[at]`, if there is one; all zero at first. */
  tryTake(words: BigInt64Array, at: number, nowMs: number): boolean {
    const nowUs = microseconds(nowMs)
    for (;;) {
      const fullUs = Atomics.load(words, at)
      const next = this.next(fullUs, nowUs)
      if (next === undefined) return false
      if (Atomics.compareExchange(words, at, fullUs, next) === fullUs) return true
    }
  }
}

/** Milliseconds of a clock that all threads have in common. */
export function microseconds(nowMs: number): bigint {
  return BigInt(Math.round(nowMs * 1_000))
}

/** Two years: times that are as far ahead still fit into 48 bits beside what tells sources apart. */
const MAX_INTERVAL_US = 2 ** 46
const MAX_TOLERANCE_US = 2 ** 46
