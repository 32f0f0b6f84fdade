/** Connection counts for the limits: by default of this thread's listeners only. */

import { type SourceLimit, SourceLimiter } from '../lib/rate/source-limiter.ts'
import { TokenBucket, type TokenBucketOptions } from '../lib/rate/token-bucket.ts'

/** A rate limit. */
export interface Rate {
  /** Takes `count` tokens if available. */
  tryTake(count: number, nowMs: number): boolean
}

export interface AcceptTally {
  /** Open connections of all listeners. */
  readonly open: number
  /** Counts another connection, unless there are `max`. */
  tryOpen(max: number): boolean
  close(): void
  /** Counts another connection of a source, unless it has `max`. */
  tryOpenOf(source: string, max: number): boolean
  closeOf(source: string): void
  /** Takes a token of a source's rate, if available. */
  tryTakeOf(source: string, nowMs: number): boolean
  /** A separate rate for another listener, so that a flood on one port does not block others. */
  createRate(options: TokenBucketOptions, nowMs: number): Rate
}

export class LocalTally implements AcceptTally {
  readonly #openBySource = new Map<string, number>()
  readonly #sources: SourceLimiter | undefined
  open = 0

  constructor(sourceRate: SourceLimit | undefined) {
    this.#sources = sourceRate && new SourceLimiter(sourceRate)
  }

  /** Sources with open connections. */
  get countedSources(): number {
    return this.#openBySource.size
  }

  tryOpen(max: number): boolean {
    if (this.open >= max) return false
    this.open++
    return true
  }

  close(): void {
    this.open--
  }

  tryOpenOf(source: string, max: number): boolean {
    const open = this.#openBySource.get(source) ?? 0
    if (open >= max) return false
    this.#openBySource.set(source, open + 1)
    return true
  }

  closeOf(source: string): void {
    const left = (this.#openBySource.get(source) ?? 1) - 1
    if (left === 0) this.#openBySource.delete(source)
    else this.#openBySource.set(source, left)
  }

  tryTakeOf(source: string, nowMs: number): boolean {
    return this.#sources?.tryTake(source, nowMs) ?? true
  }

  createRate(options: TokenBucketOptions, nowMs: number): Rate {
    return new TokenBucket(options, nowMs)
  }
}
