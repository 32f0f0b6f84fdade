/** A clock that the test advances. */

import type { Clock, Timer } from '../../src/lib/clock.ts'

/** Options of {@link FakeClock}. */
export interface FakeClockOptions {
  /** `immediate` runs `afterTurn` by `setImmediate`, `manual` by {@link FakeClock.runTurn}. */
  readonly turns?: 'immediate' | 'manual'
  /** Initial `wallNow`, in milliseconds since 1970. */
  readonly wallMs?: number
}

interface PendingTimer {
  readonly dueMs: number
  readonly fn: () => void
}

export class FakeClock implements Clock {
  readonly #manual: boolean
  #wallOriginMs: number
  readonly #timers = new Set<PendingTimer>()
  #turn: (() => void)[] = []
  #nowMs = 0

  constructor(options: FakeClockOptions = {}) {
    this.#manual = options.turns === 'manual'
    this.#wallOriginMs = options.wallMs ?? Date.UTC(2026, 10, 1)
  }

  now(): number {
    return this.#nowMs
  }

  wallNow(): number {
    return this.#wallOriginMs + this.#nowMs
  }

  after(delayMs: number, fn: () => void): Timer {
    const timer = { dueMs: this.#nowMs + Math.max(0, delayMs), fn }
    this.#timers.add(timer)
    return { cancel: () => void this.#timers.delete(timer) }
  }

  afterTurn(fn: () => void): void {
    if (this.#manual) this.#turn.push(fn)
    else setImmediate(fn)
  }

  /** Timers that have neither fired nor been cancelled. */
  get pendingTimers(): number {
    return this.#timers.size
  }

  /** Milliseconds until each timer fires. */
  get timersInMs(): number[] {
    return Array.from(this.#timers, ({ dueMs }) => dueMs - this.#nowMs)
  }

  /** Advances time and fires due timers, new ones included, in order of time, then of creation. */
  advance(ms: number): void {
    const untilMs = this.#nowMs + ms
    for (let next = this.#nextDue(untilMs); next !== undefined; next = this.#nextDue(untilMs)) {
      this.#timers.delete(next)
      this.#nowMs = next.dueMs
      next.fn()
    }
    this.#nowMs = untilMs
  }

  /** The wall clock is set, by an operator or by NTP; timers do not notice. */
  setWall(ms: number): void {
    this.#wallOriginMs = ms - this.#nowMs
  }

  /** In manual mode: runs callbacks queued for the end of this turn, but not those that they add. */
  runTurn(): void {
    const turn = this.#turn
    this.#turn = []
    for (const fn of turn) fn()
  }

  #nextDue(untilMs: number): PendingTimer | undefined {
    let earliest: PendingTimer | undefined
    for (const timer of this.#timers) {
      if (timer.dueMs <= untilMs && (earliest === undefined || timer.dueMs < earliest.dueMs)) earliest = timer
    }
    return earliest
  }
}
