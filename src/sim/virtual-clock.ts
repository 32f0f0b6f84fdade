/** A clock that is advanced manually and runs due events in order, without waiting. */

import type { Clock, Timer } from '../lib/clock.ts'

interface Event {
  readonly dueMs: number
  readonly number: number
  fn: (() => void) | undefined
}

const isBefore = (a: Event, b: Event) => a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.number < b.number)

export class VirtualClock implements Clock {
  readonly #wallOriginMs: number
  /** A binary heap, earliest event first. */
  readonly #heap: Event[] = []
  #turn: (() => void)[] = []
  #nowMs = 0
  #events = 0

  /** @param wallOriginMs milliseconds since 1970 at the start. */
  constructor(wallOriginMs: number = Date.UTC(2026, 10, 1)) {
    this.#wallOriginMs = wallOriginMs
  }

  now(): number {
    return this.#nowMs
  }

  wallNow(): number {
    return this.#wallOriginMs + this.#nowMs
  }

  after(delayMs: number, fn: () => void): Timer {
    const event: Event = { dueMs: this.#nowMs + Math.max(0, delayMs), number: this.#events++, fn }
    this.#push(event)
    return {
      cancel: () => {
        event.fn = undefined
      },
    }
  }

  afterTurn(fn: () => void): void {
    this.#turn.push(fn)
  }

  /** The same clock for a machine whose wall clock is ahead by a number of milliseconds. */
  skewed(aheadMs: number): Clock {
    return {
      now: () => this.now(),
      wallNow: () => this.wallNow() + aheadMs,
      after: (delayMs, fn) => this.after(delayMs, fn),
      afterTurn: fn => this.afterTurn(fn),
    }
  }

  /** Advances the time and runs due events. */
  advance(ms: number): void {
    const untilMs = this.#nowMs + ms
    this.#endTurn()
    for (let next = this.#heap[0]; next !== undefined && next.dueMs <= untilMs; next = this.#heap[0]) {
      this.#pop()
      this.#nowMs = next.dueMs
      next.fn?.()
      this.#endTurn()
    }
    this.#nowMs = untilMs
  }

  #endTurn(): void {
    while (this.#turn.length > 0) {
      const turn = this.#turn
      this.#turn = []
      for (const fn of turn) fn()
    }
  }

  #push(event: Event): void {
    const heap = this.#heap
    let at = heap.push(event) - 1
    while (at > 0) {
      const parentAt = (at - 1) >> 1
      const parent = heap[parentAt] as Event
      if (!isBefore(event, parent)) break
      heap[at] = parent
      at = parentAt
    }
    heap[at] = event
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let at = 0
    for (;;) {
      const rightAt = 2 * at + 2
      const [left, right] = [heap[rightAt - 1], heap[rightAt]]
      if (left === undefined) break
      const childAt = right !== undefined && isBefore(right, left) ? rightAt : rightAt - 1
      const child = heap[childAt] as Event
      if (!isBefore(child, last)) break
      heap[at] = child
      at = childAt
    }
    heap[at] = last
  }
}
