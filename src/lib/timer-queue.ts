/**
 * Many timers on one platform timer.
 *
 * A relay sets several per connection, most of which never fire. Here each is a heap entry; the platform only knows the
 * earliest.
 */

import type { Clock, Timer } from './clock.ts'

/** Sets timers; a {@link Clock} does too. */
export type Timers = Pick<Clock, 'after'>

export class TimerQueue implements Timers {
  readonly #clock: Clock
  /** A binary heap: no entry is due before its parent, at half its index. Starts at index 1. */
  readonly #heap: Entry[] = []
  #created = 0
  #armed: { readonly dueMs: number; readonly timer: Timer } | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Timers that have neither fired nor been cancelled. */
  get size(): number {
    return Math.max(0, this.#heap.length - 1)
  }

  /** Calls `fn` once, after at least `delayMs`. Does not keep the process alive. */
  after(delayMs: number, fn: () => void): Timer {
    const entry = new Entry(this, this.#clock.now() + Math.max(0, delayMs), this.#created++, fn)
    this.#heap[0] ??= entry
    this.#place(entry, this.#heap.length)
    this.#rise(entry)
    if (entry.at === 1) this.#arm(entry.dueMs)
    return entry
  }

  /** For {@link Entry} only. */
  remove(entry: Entry): void {
    const last = this.#heap.pop() as Entry
    const at = entry.at
    entry.at = 0
    if (last !== entry) {
      this.#place(last, at)
      this.#rise(last)
      this.#sink(last)
    }
    if (this.size > 0) return
    this.#heap.length = 0
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
      for (let first = this.#heap[1]; first !== undefined && first.dueMs <= nowMs; first = this.#heap[1]) {
        this.remove(first)
        first.fn()
      }
    } finally {
      const next = this.#heap[1]
      if (next !== undefined) this.#arm(next.dueMs)
    }
  }

  #rise(entry: Entry): void {
    for (let parent = this.#heap[entry.at >> 1] as Entry; entry.at > 1 && entry.isBefore(parent); ) {
      const at = entry.at
      this.#place(entry, parent.at)
      this.#place(parent, at)
      parent = this.#heap[entry.at >> 1] as Entry
    }
  }

  #sink(entry: Entry): void {
    for (;;) {
      const left = this.#heap[2 * entry.at]
      const right = this.#heap[2 * entry.at + 1]
      const child = right !== undefined && left !== undefined && right.isBefore(left) ? right : left
      if (child === undefined || entry.isBefore(child)) return
      const at = entry.at
      this.#place(entry, child.at)
      this.#place(child, at)
    }
  }

  #place(entry: Entry, at: number): void {
    this.#heap[at] = entry
    entry.at = at
  }
}

export class Entry implements Timer {
  readonly dueMs: number
  readonly fn: () => void
  /** Index in the heap; 0 if not in it. */
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
