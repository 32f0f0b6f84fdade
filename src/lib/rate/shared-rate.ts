/**
 * Rate limits shared by several threads, in shared memory: a token bucket as one number.
 *
 * The number is the time at which the bucket will be full again. Taking a token advances it by one token's interval; it
 * may be at most a whole bucket ahead of now. A token is taken by one atomic exchange, so no thread waits for another,
 * and a thread that dies midway leaves nothing inconsistent.
 */

import type { TokenBucketOptions } from './token-bucket.ts'

/** One thread's view of a rate, in microseconds. */
export class SharedRate {
  /** Time per token. */
  readonly #intervalUs: bigint
  /** How far ahead of now the bucket may be before another token is taken. */
  readonly #toleranceUs: bigint

  /** A token takes whole microseconds, at least one and at most {@link MAX_INTERVAL_US}. */
  constructor({ perSecond, burst }: TokenBucketOptions) {
    const intervalUs = Math.min(MAX_INTERVAL_US, Math.max(1, Math.round(1e6 / perSecond)))
    this.#intervalUs = BigInt(intervalUs)
    this.#toleranceUs = BigInt(Math.min(MAX_TOLERANCE_US, Math.max(0, Math.floor((burst - 1) * intervalUs))))
  }

  /** When the bucket is full after taking one more token, if it is now at `fullUs`; undefined if there is no token. */
  next(fullUs: bigint, nowUs: bigint): bigint | undefined {
    if (fullUs - nowUs > this.#toleranceUs) return undefined
    return (fullUs > nowUs ? fullUs : nowUs) + this.#intervalUs
  }

  /** Takes a token from the bucket at `words[at]` if there is one; the initial state is all zero. */
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

/** Microseconds for a time in milliseconds, from a clock shared by all threads. */
export function microseconds(nowMs: number): bigint {
  return BigInt(Math.round(nowMs * 1_000))
}

/** Two years: times that far ahead still fit into 48 bits next to the source tag. */
const MAX_INTERVAL_US = 2 ** 46
const MAX_TOLERANCE_US = 2 ** 46
