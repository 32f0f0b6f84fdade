import { expect, test } from 'vitest'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { TimerQueue } from './timer-queue.ts'

function setUp(): { clock: FakeClock; timers: TimerQueue } {
  const clock = new FakeClock()
  return { clock, timers: new TimerQueue(clock) }
}

test('timers fire when due, in order of time and then creation, on one platform timer', () => {
  const { clock, timers } = setUp()
  const fired: string[] = []
  for (const [delayMs, name] of [
    [30, 'c'],
    [10, 'a'],
    [20, 'b'],
    [10, 'a2'],
    [0, 'now'],
  ] as const) {
    timers.after(delayMs, () => fired.push(`${name} ${clock.now()}`))
  }
  expect([timers.size, clock.pendingTimers]).toEqual([5, 1])
  clock.advance(100)
  expect(fired).toEqual(['now 0', 'a 10', 'a2 10', 'b 20', 'c 30'])
  expect([timers.size, clock.pendingTimers]).toEqual([0, 0])
})

test('a cancelled timer does not fire, and cancelling the last one disarms the platform timer', () => {
  const { clock, timers } = setUp()
  const fired: number[] = []
  const [first, second] = [10, 20].map(delayMs => timers.after(delayMs, () => fired.push(delayMs)))
  first?.cancel()
  first?.cancel()
  clock.advance(15)
  expect([fired, timers.size, clock.pendingTimers]).toEqual([[], 1, 1])
  clock.advance(5)
  second?.cancel()
  expect(fired).toEqual([20])
  timers.after(10, () => fired.push(30)).cancel()
  expect(clock.pendingTimers).toBe(0)
})

test('a timer may set and cancel others', () => {
  const { clock, timers } = setUp()
  const fired: string[] = []
  const cancelled = timers.after(10, () => fired.push('cancelled'))
  timers.after(5, () => {
    cancelled.cancel()
    timers.after(5, () => fired.push(`set ${clock.now()}`))
  })
  clock.advance(100)
  expect(fired).toEqual(['set 10'])
})

test('a throwing timer does not delay others', () => {
  const { clock, timers } = setUp()
  const fired: string[] = []
  timers.after(10, () => {
    throw new Error('no')
  })
  timers.after(10, () => fired.push('next'))
  expect(() => clock.advance(10)).toThrow('no')
  clock.advance(10)
  expect(fired).toEqual(['next'])
})

test('after any sequence of setting and cancelling, the rest fire in order', () => {
  const { clock, timers } = setUp()
  // Repeating delays in no particular order.
  const delays = Array.from({ length: 500 }, (_, i) => (i * 7_919) % 211)
  const fired: number[] = []
  const set = delays.map(delayMs => timers.after(delayMs, () => fired.push(delayMs)))
  const isKept = (i: number) => i % 3 !== 0
  for (const [i, timer] of set.entries()) if (!isKept(i)) timer.cancel()
  clock.advance(1_000)
  expect(fired).toEqual(delays.filter((_, i) => isKept(i)).sort((a, b) => a - b))
})
