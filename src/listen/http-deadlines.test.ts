import { expect, test } from 'vitest'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { type HttpDeadline, HttpDeadlines } from './http-deadlines.ts'

function setUp(): { clock: FakeClock; deadline: HttpDeadline; ended: number[] } {
  const clock = new FakeClock()
  const ended: number[] = []
  const deadlines = new HttpDeadlines(clock, { makeMs: 100, takeMs: 30, nextMs: 5 })
  return { clock, deadline: deadlines.forConnection(() => ended.push(clock.now())), ended }
}

test('HttpDeadline limits each part of an exchange (P-107)', () => {
  const { clock, deadline, ended } = setUp()
  deadline.requested()
  expect(deadline.isIdle).toBe(false)
  clock.advance(99)
  deadline.taking()
  clock.advance(29)
  deadline.answered()
  expect([ended, deadline.isIdle]).toEqual([[], true])
  clock.advance(5)
  expect(ended).toHaveLength(1)
})

test('HttpDeadline does not wait for a request while others are unanswered (P-107)', () => {
  const { clock, deadline, ended } = setUp()
  deadline.requested()
  deadline.requested()
  deadline.answered()
  clock.advance(99)
  expect([ended, deadline.isIdle]).toEqual([[], false])
  clock.advance(1)
  expect(ended).toHaveLength(1)
})

test('HttpDeadline does not expire between chunks of a reply, nor once cancelled (P-107)', () => {
  const { clock, deadline, ended } = setUp()
  deadline.requested()
  deadline.taking()
  deadline.taken()
  clock.advance(1_000)
  deadline.taking()
  deadline.cancel()
  clock.advance(1_000)
  expect([ended, clock.pendingTimers]).toEqual([[], 0])
})
