/** Rate limits. Pure. */

/** A rate, and how far it may be exceeded for a moment. */
export interface TokenBucketOptions {
  /** Tokens gained per second, such as connections; above 0, fractions allowed. */
  readonly perSecond: number
  /** Capacity, at least 1; the bucket starts full. */
  readonly burst: number
}

/** A token bucket. The caller passes the time, in milliseconds of one monotonic clock. */
export class TokenBucket {
  readonly #perMs: number
  readonly #burst: number
  #tokens: number
  #at: number

  constructor(options: TokenBucketOptions, nowMs: number) {
    this.#perMs = options.perSecond / 1000
    this.#burst = options.burst
    this.#tokens = options.burst
    this.#at = nowMs
  }

  /** Takes `count` tokens if all are there; reports whether it did. */
  tryTake(count: number, nowMs: number): boolean {
    // A failed take changes nothing, so that many of them do not accumulate rounding errors.
    const left = this.#tokensAt(nowMs) - count
    if (left < 0) return false
    this.#keep(left, nowMs)
    return true
  }

  /**
   * Takes `count` tokens in any case, going into debt if necessary.
   *
   * @returns milliseconds until the debt is paid; 0 if there is none.
   */
  reserve(count: number, nowMs: number): number {
    const left = this.#tokensAt(nowMs) - count
    this.#keep(left, nowMs)
    return left >= 0 ? 0 : -left / this.#perMs
  }

  /** Milliseconds until `count` tokens are available, if none are taken meanwhile; infinite if `count` exceeds the burst. */
  waitMs(count: number, nowMs: number): number {
    if (count > this.#burst) return Number.POSITIVE_INFINITY
    return Math.max(0, count - this.#tokensAt(nowMs)) / this.#perMs
  }

  /** A clock running backwards adds nothing. */
  #tokensAt(nowMs: number): number {
    return Math.min(this.#burst, this.#tokens + Math.max(0, nowMs - this.#at) * this.#perMs)
  }

  #keep(tokens: number, nowMs: number): void {
    this.#tokens = tokens
    this.#at = Math.max(this.#at, nowMs)
  }
}
