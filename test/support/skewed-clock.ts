/** The real clock, but it can be advanced: for tests with programs that use real time. */

import { type Clock, systemClock, type Timer } from '../../src/lib/clock.ts'

interface Pending {
  readonly dueMs: number
  readonly fn: () => void
  timer: Timer
}

export class SkewedClock implements Clock {
  #skewMs = 0
  readonly #pending = new Set<Pending>()

  now(): number {
    return systemClock.now() + this.#skewMs
  }

  wallNow(): number {
    return systemClock.wallNow() + this.#skewMs
  }

  after(delayMs: number, fn: () => void): Timer {
    const pending: Pending = { dueMs: this.now() + delayMs, fn, timer: { cancel() {} } }
    this.#pending.add(pending)
    this.#arm(pending)
    return {
      cancel: () => {
        pending.timer.cancel()
        this.#pending.delete(pending)
      },
    }
  }

  afterTurn(fn: () => void): void {
    systemClock.afterTurn(fn)
  }

  /** Advances the clock; due timers fire soon after. */
  advance(ms: number): void {
    this.#skewMs += ms
    for (const pending of this.#pending) {
      pending.timer.cancel()
      this.#arm(pending)
    }
  }

  #arm(pending: Pending): void {
    pending.timer = systemClock.after(Math.max(0, pending.dueMs - this.now()), () => {
      this.#pending.delete(pending)
      pending.fn()
    })
  }
}
