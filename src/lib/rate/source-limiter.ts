/** Rate limit per source (P-109, P-186), with bounded memory. */

import { TokenBucket, type TokenBucketOptions } from './token-bucket.ts'

/** A rate limit for each source: an IPv4 address, or an IPv6 network of a subscriber. */
export interface SourceLimit extends TokenBucketOptions {
  /** Sources tracked; beyond that the least recently seen one starts afresh. Default {@link MAX_SOURCES}. */
  readonly maxSources?: number | undefined
}

/** Default number of tracked sources; each takes some 200 bytes. */
export const MAX_SOURCES = 10_000

/** One token bucket per source. */
export class SourceLimiter {
  readonly #limit: SourceLimit
  readonly #maxSources: number
  // Ordered by when a source was last seen.
  readonly #buckets = new Map<string, TokenBucket>()

  /** @throws RangeError naming the invalid number. */
  constructor(limit: SourceLimit) {
    this.#limit = limit
    this.#maxSources = limit.maxSources ?? MAX_SOURCES
    assertNumber('perSecond', limit.perSecond, limit.perSecond > 0)
    assertNumber('burst', limit.burst, limit.burst >= 1)
    assertNumber('maxSources', this.#maxSources, Number.isInteger(this.#maxSources) && this.#maxSources >= 1)
  }

  /** Number of tracked sources. */
  get size(): number {
    return this.#buckets.size
  }

  /** Takes a token of `source` if there is one. */
  tryTake(source: string, nowMs: number): boolean {
    const bucket = this.#buckets.get(source) ?? new TokenBucket(this.#limit, nowMs)
    this.#buckets.delete(source)
    this.#buckets.set(source, bucket)
    if (this.#buckets.size > this.#maxSources) this.#forgetOldest()
    return bucket.tryTake(1, nowMs)
  }

  #forgetOldest(): void {
    for (const source of this.#buckets.keys()) {
      this.#buckets.delete(source)
      return
    }
  }
}

function assertNumber(name: string, value: number, isGood: boolean): void {
  if (!isGood || !Number.isFinite(value)) throw new RangeError(`set source limit ${name} to ${value}: out of range`)
}
