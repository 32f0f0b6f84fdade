/**
 * Divides the relay's total read rate among its clients, max-min fair for any packet size and window.
 *
 * Frames are taken one after the other, as fast as the rate allows, in the order of the service at which they begin: where
 * their client's last frame ended, or at the service of now (start-time fair queueing). So a client with small frames has
 * more of them taken, and one that leaves its share gives it to the others immediately. A client that was away for a moment,
 * as one with a small window is between its packets, may catch up with what it missed. Nothing is dropped.
 * Clauses: P-105.
 */

import type { Clock, Timer } from '../../lib/clock.ts'
import { Heap, type HeapEntry } from '../../lib/collections/heap.ts'
import { CATCH_UP_MS, OwnShareLedger, type ShareLedger } from './share-ledger.ts'

/** Time away that a client may catch up with: more than a round trip, so that small windows suffice for a share. */
const AWAY_MS = 200
/** Milliseconds by which a thread may be ahead of the others: as many as the line makes up for after a late timer. */
const APART_MS = CATCH_UP_MS
/** Milliseconds until the next check of a thread whose turn it is: it may have only one frame. */
const BEHIND_MS = 5
/**
 * Bounds on the time until the next check, in milliseconds: threads that have not checked for longer are ignored by the
 * others.
 */
const MIN_CHECK_MS = 1
const MAX_CHECK_MS = 50

/** What one client has received. */
export interface ShareAccount {
  /** The service at which its last frame ended; undefined before the first. */
  end: number | undefined
}

/** A frame that waits. */
class Waiting implements HeapEntry<Waiting> {
  at = 0
  readonly start: number
  readonly bytes: number
  readonly number: number
  readonly proceed: () => void

  constructor(start: number, bytes: number, number: number, proceed: () => void) {
    this.start = start
    this.bytes = bytes
    this.number = number
    this.proceed = proceed
  }

  isBefore(other: Waiting): boolean {
    return this.start < other.start || (this.start === other.start && this.number < other.number)
  }
}

export class FairShare {
  readonly #clock: Clock
  readonly #ledger: ShareLedger
  readonly #waiting = new Heap<Waiting>()
  #bytesPerMs: number
  #lastNumber = 0
  #timer: Timer | undefined
  #isServing = false

  constructor(clock: Clock, bytesPerSecond: number, ledger: ShareLedger = new OwnShareLedger()) {
    this.#clock = clock
    this.#ledger = ledger
    this.#bytesPerMs = bytesPerSecond / 1_000
  }

  /** Number of waiting clients on this thread. */
  get waiting(): number {
    return this.#waiting.size
  }

  get bytesPerSecond(): number {
    return this.#bytesPerMs * 1_000
  }

  set bytesPerSecond(bytesPerSecond: number) {
    this.#bytesPerMs = bytesPerSecond / 1_000
    this.#serve()
  }

  /**
   * Takes `bytes` from a client that has no frame waiting.
   *
   * @param proceed called when it is their turn, if that is not now.
   * @returns a timer that cancels the wait without calling `proceed`; undefined if there is no wait.
   */
  take(account: ShareAccount, bytes: number, proceed: () => void): Timer | undefined {
    const { served } = this.#ledger
    const start = Math.max(account.end ?? served, served - AWAY_MS * this.#perClient)
    account.end = start + bytes
    const waiting = new Waiting(start, bytes, ++this.#lastNumber, proceed)
    const { first } = this.#waiting
    // While others are served it waits for its turn among them.
    const isFirst = !this.#isServing && (first === undefined || waiting.isBefore(first))
    const waitMs = isFirst ? this.#waitMs(start, bytes) : 0
    if (isFirst && waitMs === 0) return undefined
    this.#waiting.add(waiting)
    // Behind others nothing changes: they are due when the timer fires.
    if (isFirst) this.#arm(waitMs)
    else this.#publish()
    return { cancel: () => this.#cancel(waiting) }
  }

  /** Ends all waits when the limit is removed. */
  end(): void {
    for (let { first } = this.#waiting; first !== undefined; first = this.#waiting.first) {
      this.#waiting.remove(first)
      first.proceed()
    }
    this.#arm(0)
  }

  #cancel(waiting: Waiting): void {
    if (waiting.at === 0) return
    this.#waiting.remove(waiting)
    if (!this.#isServing) this.#serve()
  }

  /** Service per millisecond. */
  get #perClient(): number {
    return this.#bytesPerMs / Math.max(1, this.#ledger.waiting)
  }

  /** Takes a frame if it is its turn and the line is free. @returns milliseconds until it may be so; 0 if taken. */
  #waitMs(start: number, bytes: number): number {
    const aheadMs = (start - this.#ledger.firstElsewhere) / this.#perClient - APART_MS
    if (aheadMs > 0) return Math.min(aheadMs, BEHIND_MS)
    const waitMs = this.#ledger.tryTake(bytes, this.#bytesPerMs, this.#clock.now())
    if (waitMs === 0) this.#ledger.advance(start)
    return waitMs
  }

  /** Takes the frames whose turn it is; a client that waits again immediately takes part. */
  #serve(): void {
    let waitMs = 0
    this.#isServing = true
    for (let { first } = this.#waiting; first !== undefined; first = this.#waiting.first) {
      waitMs = this.#waitMs(first.start, first.bytes)
      if (waitMs > 0) break
      this.#waiting.remove(first)
      first.proceed()
    }
    this.#isServing = false
    this.#arm(waitMs)
  }

  #arm(waitMs: number): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#publish()
    if (this.#waiting.size === 0) return
    const delayMs = Math.min(Math.max(waitMs, MIN_CHECK_MS), MAX_CHECK_MS)
    this.#timer = this.#clock.after(delayMs, () => this.#serve())
  }

  #publish(): void {
    const { first, size } = this.#waiting
    this.#ledger.publish(size, first?.start ?? Number.POSITIVE_INFINITY, this.#clock.now())
  }
}
