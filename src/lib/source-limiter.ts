/** How often each source may do something (P-109, P-186), in memory that does not grow with the number of sources. */

import { TokenBucket, type TokenBucketOptions } from './token-bucket.ts'

export interface SourceLimit extends TokenBucketOptions {
  /** Sources remembered; beyond it the one not heard of for longest starts afresh. Default {@link MAX_SOURCES}. */
  readonly maxSources?: number | undefined
}

/** Sources remembered unless said otherwise; each takes some 200 bytes. */
export const MAX_SOURCES = 10_000

/** A bucket for each source. */
export class SourceLimiter {
  readonly #limit: SourceLimit
  readonly #maxSources: number
  // Kept in the order in which sources were last heard of.
  readonly #buckets = new Map<string, TokenBucket>()

  /** @throws RangeError naming the number that makes no sense. */
  constructor(limit: SourceLimit) {
    this.#limit = limit
    this.#maxSources = limit.maxSources ?? MAX_SOURCES
    assertNumber('perSecond', limit.perSecond, limit.perSecond > 0)
    assertNumber('burst', limit.burst, limit.burst >= 1)
    assertNumber('maxSources', this.#maxSources, Number.isInteger(this.#maxSources) && this.#maxSources >= 1)
  }

  /** Sources remembered now. */
  get size(): number {
    return this.#buckets.size
  }

  /** Whether a source may once more; takes it off its allowance. */
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
  if (!isGood || !Number.isFinite(value)) throw new RangeError(`use source limit ${name} of ${value}: out of range`)
}
