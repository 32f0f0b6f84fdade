/** What the limits on connections count: by default for the listeners of this thread alone. */

import { type SourceLimit, SourceLimiter } from '../lib/source-limiter.ts'
import { TokenBucket, type TokenBucketOptions } from '../lib/token-bucket.ts'

/** Allows something so many times a second. */
export interface Rate {
  /** Whether it may be done `count` times now. */
  tryTake(count: number, nowMs: number): boolean
}

export interface AcceptTally {
  /** Connections that are open now, of all listeners. */
  readonly open: number
  /** Counts one more connection, unless there are `max`. */
  tryOpen(max: number): boolean
  close(): void
  /** Counts one more connection of a source, unless it has `max`. */
  tryOpenOf(source: string, max: number): boolean
  closeOf(source: string): void
  /** Whether a source may have one more connection by its rate. */
  tryTakeOf(source: string, nowMs: number): boolean
  /** The rate of one more listener, of its own: a flood on one port shuts no other. */
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
