/** A token bucket over an injected time. */

export interface TokenBucketOptions {
  /** Tokens gained per second. */
  readonly perSecond: number
  /** Most tokens the bucket holds; it starts full. */
  readonly burst: number
}

/**
 * Counts tokens as time passes. Time is handed in, in milliseconds of one monotonic clock.
 */
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
    // A refusal leaves no trace, so that many of them add no rounding errors up.
    const left = this.#tokensAt(nowMs) - count
    if (left < 0) return false
    this.#keep(left, nowMs)
    return true
  }

  /**
   * Takes `count` tokens in any case, going into debt if needed.
   *
   * @returns milliseconds to wait until the debt is paid; 0 when there was none.
   */
  reserve(count: number, nowMs: number): number {
    const left = this.#tokensAt(nowMs) - count
    this.#keep(left, nowMs)
    return left >= 0 ? 0 : -left / this.#perMs
  }

  /** Milliseconds until `count` tokens are there, if none is taken meanwhile; for ever when `count` is above the burst. */
  waitMs(count: number, nowMs: number): number {
    if (count > this.#burst) return Number.POSITIVE_INFINITY
    return Math.max(0, count - this.#tokensAt(nowMs)) / this.#perMs
  }

  /** Time that runs backwards brings nothing. */
  #tokensAt(nowMs: number): number {
    return Math.min(this.#burst, this.#tokens + Math.max(0, nowMs - this.#at) * this.#perMs)
  }

  #keep(tokens: number, nowMs: number): void {
    this.#tokens = tokens
    this.#at = Math.max(this.#at, nowMs)
  }
}
