import { expect, test } from 'vitest'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { Interval } from './interval.ts'

test('Interval runs its action at the end of each interval until stopped', () => {
  const clock = new FakeClock()
  const at: number[] = []
  const interval = new Interval(clock, 100, () => at.push(clock.now()))
  clock.advance(250)
  interval.stop()
  interval.stop()
  clock.advance(1_000)
  expect([at, clock.pendingTimers]).toEqual([[100, 200], 0])
})

test('Interval may be stopped by its own action', () => {
  const clock = new FakeClock()
  let acts = 0
  const interval = new Interval(clock, 100, () => {
    acts++
    interval.stop()
  })
  clock.advance(1_000)
  expect([acts, clock.pendingTimers]).toEqual([1, 0])
})
