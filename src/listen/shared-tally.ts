/**
 * Connection counts for limits across several threads (P-108, P-109).
 *
 * Each thread writes its own number of open connections and sums those of all, so that the counts of a thread that ended
 * can be removed. It counts first and checks then, so the limit is never exceeded; two connections that reach the last
 * slot at the same moment may both be refused.
 */

import { SharedRate } from '../lib/rate/shared-rate.ts'
import type { SourceLimit } from '../lib/rate/source-limiter.ts'
import { TokenBucket, type TokenBucketOptions } from '../lib/rate/token-bucket.ts'
import type { AcceptLimitOptions } from './accept-limits.ts'
import type { AcceptTally, Rate } from './accept-tally.ts'
import { SharedShareLedger } from './shared-share-ledger.ts'
import { SharedSourceCounts } from './shared-source-counts.ts'
import { SharedSourceRates } from './shared-source-rates.ts'
import { createSourceSeeds, SourceHash, type SourceSeeds } from './source-hash.ts'

/** Transferable to other threads. */
export interface TallyMemory {
  /** Open connections by thread. */
  readonly open: SharedArrayBuffer
  /** How the rate of all clients is divided: a {@link SharedShareLedger}. */
  readonly share: SharedArrayBuffer
  /** When the bucket of the listeners sharing a port is full again. */
  readonly rate: SharedArrayBuffer
  readonly sourceCounts: SharedArrayBuffer | undefined
  readonly sourceRates: SharedArrayBuffer | undefined
  readonly seeds: SourceSeeds
}

/** The thread whose listeners share no ports: each has its own rate. */
export const MAIN_THREAD = 0

/**
 * Memory for `threads` threads, {@link MAIN_THREAD} among them.
 * @param seeds hash seeds for sources: random, unless results must be repeatable.
 */
export function createTallyMemory(
  options: AcceptLimitOptions,
  threads: number,
  seeds: SourceSeeds = createSourceSeeds(),
): TallyMemory {
  const { maxConnections, maxConnectionsPerSource, sourceRate } = options
  return {
    open: new SharedArrayBuffer(threads * Int32Array.BYTES_PER_ELEMENT),
    share: SharedShareLedger.createMemory(threads),
    rate: new SharedArrayBuffer(BigInt64Array.BYTES_PER_ELEMENT),
    sourceCounts:
      maxConnectionsPerSource === undefined ? undefined : SharedSourceCounts.createMemory(threads, maxConnections),
    sourceRates: sourceRate && SharedSourceRates.createMemory(),
    seeds,
  }
}

export class SharedTally implements AcceptTally {
  readonly #thread: number
  readonly #open: Int32Array
  readonly #share: SharedArrayBuffer
  readonly #rate: BigInt64Array
  readonly #counts: SharedSourceCounts | undefined
  readonly #rates: SharedSourceRates | undefined

  /** @param thread index of this thread, unique among them. */
  constructor(memory: TallyMemory, thread: number, sourceRate: SourceLimit | undefined) {
    const { open, share, rate, sourceCounts, sourceRates, seeds } = memory
    const hash = new SourceHash(seeds)
    this.#thread = thread
    this.#open = new Int32Array(open)
    this.#share = share
    this.#rate = new BigInt64Array(rate)
    this.#counts = sourceCounts && new SharedSourceCounts(sourceCounts, { threads: this.#open.length, thread, hash })
    this.#rates = sourceRates && sourceRate && new SharedSourceRates(sourceRates, sourceRate, hash)
  }

  get open(): number {
    let sum = 0
    for (let thread = 0; thread < this.#open.length; thread++) sum += Atomics.load(this.#open, thread)
    return sum
  }

  tryOpen(max: number): boolean {
    Atomics.add(this.#open, this.#thread, 1)
    if (this.open <= max) return true
    this.close()
    return false
  }

  close(): void {
    Atomics.sub(this.#open, this.#thread, 1)
  }

  tryOpenOf(source: string, max: number): boolean {
    return this.#counts?.tryOpen(source, max) ?? true
  }

  closeOf(source: string): void {
    this.#counts?.close(source)
  }

  tryTakeOf(source: string, nowMs: number): boolean {
    return this.#rates?.tryTake(source, nowMs) ?? true
  }

  createRate(options: TokenBucketOptions, nowMs: number): Rate {
    if (this.#thread === MAIN_THREAD) return new TokenBucket(options, nowMs)
    const rate = new SharedRate(options)
    return { tryTake: (_count, atMs) => rate.tryTake(this.#rate, 0, atMs) }
  }

  /** Removes the counts of a thread that has ended. */
  forget(thread: number): void {
    Atomics.store(this.#open, thread, 0)
    SharedShareLedger.forget(this.#share, thread)
    this.#counts?.forget(thread)
  }
}
