/**
 * Divides the relay's total read rate among its clients, max-min fair for any packet size.
 *
 * Each frame waits until its bytes have been served. All clients with a waiting frame are served concurrently, each with
 * an equal share of the rate, so unused shares go to the others immediately. Served bytes are kept as a single number:
 * what a client that always waited would have received. A frame is done when that number has grown by its length.
 * Nothing is dropped. Clauses: P-105.
 */

import type { Clock, Timer } from '../../lib/clock.ts'
import { Heap, type HeapEntry } from '../../lib/collections/heap.ts'

/** Unused rate that may be made up for, in milliseconds: late timers must not cost throughput. */
const CATCH_UP_MS = 20

/** Number of waiting clients on all threads that share a rate. */
export interface WaitingCount {
  /** Clients of this thread. */
  own: number
  /** Clients of all threads, this one included. */
  readonly total: number
}

/** The count of a relay on one thread. */
export class OwnWaitingCount implements WaitingCount {
  own = 0

  get total(): number {
    return this.own
  }
}

/** A frame that waits. */
class Waiting implements HeapEntry<Waiting> {
  at = 0
  readonly doneAtBytes: number
  readonly number: number
  readonly goOn: () => void

  constructor(doneAtBytes: number, number: number, goOn: () => void) {
    this.doneAtBytes = doneAtBytes
    this.number = number
    this.goOn = goOn
  }

  isBefore(other: Waiting): boolean {
    return (
      this.doneAtBytes < other.doneAtBytes || (this.doneAtBytes === other.doneAtBytes && this.number < other.number)
    )
  }
}

export class FairShare {
  readonly #clock: Clock
  readonly #count: WaitingCount
  readonly #waiting = new Heap<Waiting>()
  #bytesPerMs: number
  /** Bytes that a client that always waited would have received. */
  #servedBytes = 0
  /** Time up to which {@link #servedBytes} counts. */
  #servedUntilMs: number
  /** Rate that nobody has used, in bytes. */
  #unusedBytes = 0
  #lastNumber = 0
  #timer: Timer | undefined
  #isServing = false

  constructor(clock: Clock, bytesPerSecond: number, count: WaitingCount = new OwnWaitingCount()) {
    this.#clock = clock
    this.#count = count
    this.#bytesPerMs = bytesPerSecond / 1_000
    this.#servedUntilMs = clock.now()
  }

  /** Number of waiting clients. */
  get waiting(): number {
    return this.#waiting.size
  }

  set bytesPerSecond(bytesPerSecond: number) {
    this.#serve()
    this.#bytesPerMs = bytesPerSecond / 1_000
    this.#arm()
  }

  /**
   * Takes `bytes` from a client that has no frame waiting.
   *
   * @param goOn called when they have been served, if not immediately.
   * @returns a timer that cancels the wait without calling `goOn`; undefined if there is no wait.
   */
  take(bytes: number, goOn: () => void): Timer | undefined {
    if (!this.#isServing) this.#serve()
    if (this.#waiting.size === 0 && bytes <= this.#unusedBytes) {
      this.#unusedBytes -= bytes
      return undefined
    }
    const ahead = this.#waiting.size === 0 ? this.#unusedBytes : 0
    this.#unusedBytes -= ahead
    const waiting = new Waiting(this.#servedBytes + bytes - ahead, ++this.#lastNumber, goOn)
    this.#waiting.add(waiting)
    this.#count.own = this.#waiting.size
    if (!this.#isServing) this.#arm()
    return { cancel: () => this.#cancel(waiting) }
  }

  /** Ends all waits when the limit is removed. */
  end(): void {
    this.#timer?.cancel()
    for (let { first } = this.#waiting; first !== undefined; first = this.#waiting.first) {
      this.#remove(first)
      first.goOn()
    }
  }

  #cancel(waiting: Waiting): void {
    if (waiting.at === 0) return
    if (!this.#isServing) this.#serve()
    if (waiting.at === 0) return
    this.#remove(waiting)
    if (!this.#isServing) this.#arm()
  }

  #remove(waiting: Waiting): void {
    this.#waiting.remove(waiting)
    this.#count.own = this.#waiting.size
  }

  /** Serves what the rate allows up to now. A client that waits again immediately gets a share of the remainder. */
  #serve(): void {
    const nowMs = this.#clock.now()
    this.#isServing = true
    for (let { first } = this.#waiting; first !== undefined; first = this.#waiting.first) {
      const perClient = this.#bytesPerMs / this.#count.total
      const doneAtMs = this.#servedUntilMs + (first.doneAtBytes - this.#servedBytes) / perClient
      if (doneAtMs > nowMs) {
        this.#servedBytes += (nowMs - this.#servedUntilMs) * perClient
        this.#servedUntilMs = nowMs
        break
      }
      this.#servedBytes = first.doneAtBytes
      this.#servedUntilMs = Math.max(this.#servedUntilMs, doneAtMs)
      this.#remove(first)
      first.goOn()
    }
    this.#isServing = false
    if (this.#waiting.size > 0) return
    // Other threads use the rate that this one leaves unused.
    const isUnused = this.#count.total === 0
    if (isUnused) this.#unusedBytes += (nowMs - this.#servedUntilMs) * this.#bytesPerMs
    this.#unusedBytes = Math.min(this.#unusedBytes, CATCH_UP_MS * this.#bytesPerMs)
    this.#servedUntilMs = nowMs
  }

  #arm(): void {
    this.#timer?.cancel()
    const { first } = this.#waiting
    if (first === undefined) return
    const perClient = this.#bytesPerMs / this.#count.total
    const delayMs = (first.doneAtBytes - this.#servedBytes) / perClient
    this.#timer = this.#clock.after(Math.max(0, delayMs), () => {
      this.#serve()
      this.#arm()
    })
  }
}
