/**
 * Many timers on one platform timer.
 *
 * A relay sets several per connection, most of which never fire. Here each is a heap entry; the platform only knows the
 * earliest.
 */

import type { Clock, Timer } from './clock.ts'
import { Heap, type HeapEntry } from './collections/heap.ts'

/** Sets timers; a {@link Clock} does too. */
export type Timers = Pick<Clock, 'after'>

export class TimerQueue implements Timers {
  readonly #clock: Clock
  readonly #heap = new Heap<Entry>()
  #created = 0
  #armed: { readonly dueMs: number; readonly timer: Timer } | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Timers that have neither fired nor been cancelled. */
  get size(): number {
    return this.#heap.size
  }

  /** Calls `fn` once, after at least `delayMs`. Does not keep the process alive. */
  after(delayMs: number, fn: () => void): Timer {
    const entry = new Entry(this, this.#clock.now() + Math.max(0, delayMs), this.#created++, fn)
    this.#heap.add(entry)
    if (entry.at === 1) this.#arm(entry.dueMs)
    return entry
  }

  /** For {@link Entry} only. */
  remove(entry: Entry): void {
    this.#heap.remove(entry)
    if (this.size > 0) return
    this.#armed?.timer.cancel()
    this.#armed = undefined
  }

  // The platform timer stays armed when its entry is cancelled; when it fires it arms for the next one.
  #arm(dueMs: number): void {
    if (this.#armed !== undefined && this.#armed.dueMs <= dueMs) return
    this.#armed?.timer.cancel()
    const timer = this.#clock.after(dueMs - this.#clock.now(), () => {
      this.#armed = undefined
      this.#fire()
    })
    this.#armed = { dueMs, timer }
  }

  #fire(): void {
    const nowMs = this.#clock.now()
    try {
      for (let { first } = this.#heap; first !== undefined && first.dueMs <= nowMs; first = this.#heap.first) {
        this.remove(first)
        first.fn()
      }
    } finally {
      const next = this.#heap.first
      if (next !== undefined) this.#arm(next.dueMs)
    }
  }
}

export class Entry implements Timer, HeapEntry<Entry> {
  readonly dueMs: number
  readonly fn: () => void
  /** Position in the heap; 0 if it has fired or been cancelled. */
  at = 0
  readonly #queue: TimerQueue
  readonly #number: number

  constructor(queue: TimerQueue, dueMs: number, number: number, fn: () => void) {
    this.#queue = queue
    this.dueMs = dueMs
    this.#number = number
    this.fn = fn
  }

  isBefore(other: Entry): boolean {
    return this.dueMs < other.dueMs || (this.dueMs === other.dueMs && this.#number < other.#number)
  }

  cancel(): void {
    if (this.at > 0) this.#queue.remove(this)
  }
}
