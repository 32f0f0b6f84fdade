import { expect, test } from 'vitest'
import { FakeClock } from '../../../test/support/fake-clock.ts'
import type { Clock } from '../../lib/clock.ts'
import { createPageClock } from './page-clock.ts'

/** A clock whose timers fire late by `lateMs`. */
function held(lateMs: number) {
  const clock = new FakeClock()
  let leftMs = lateMs
  const throttled: Clock = {
    now: () => clock.now(),
    wallNow: () => clock.wallNow(),
    afterTurn: fn => clock.afterTurn(fn),
    after(delayMs, fn) {
      const timer = clock.after(delayMs + leftMs, fn)
      leftMs = 0
      return timer
    },
  }
  const fired: number[] = []
  const timer = createPageClock(throttled).after(100, () => fired.push(clock.now()))
  return { clock, fired, timer }
}

test('a timer that fires in time, or a little late, is not held back further', () => {
  for (const lateMs of [0, 1_999]) {
    const { clock, fired } = held(lateMs)
    clock.advance(10_000)
    expect(fired).toEqual([100 + lateMs])
  }
})

test('a timer of a page that was frozen leaves a moment to read what has arrived', () => {
  const { clock, fired } = held(60_000)
  clock.advance(61_099)
  expect(fired).toEqual([])
  clock.advance(1)
  expect(fired).toEqual([61_100])
})

test('a timer can be cancelled before and after the page was frozen', () => {
  const early = held(0)
  early.timer.cancel()
  early.clock.advance(1_000)
  const late = held(60_000)
  late.clock.advance(60_500)
  late.timer.cancel()
  late.clock.advance(10_000)
  expect([early.fired, late.fired]).toEqual([[], []])
  expect(late.clock.pendingTimers).toBe(0)
})
