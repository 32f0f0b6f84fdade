import { expect, test } from 'vitest'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { ReadDeadline } from './read-deadline.ts'

function setUp() {
  const clock = new FakeClock()
  const expired: number[] = []
  const deadline = new ReadDeadline(clock, 1000, () => expired.push(clock.now()))
  return { clock, deadline, expired }
}

test('ReadDeadline expires once, after the time and not before (P-094)', () => {
  const { clock, expired } = setUp()
  clock.advance(999)
  expect(expired).toEqual([])
  clock.advance(5000)
  expect(expired).toEqual([1000])
  expect(clock.pendingTimers).toBe(0)
})

test('ReadDeadline counts from the last frame (P-094)', () => {
  const { clock, deadline, expired } = setUp()
  clock.advance(600)
  deadline.touch()
  clock.advance(900)
  deadline.touch()
  clock.advance(999)
  expect(expired).toEqual([])
  clock.advance(1)
  expect(expired).toEqual([2500])
})

test('ReadDeadline does not expire while suspended, and begins anew after it', () => {
  const { clock, deadline, expired } = setUp()
  deadline.suspend()
  clock.advance(10_500)
  deadline.resume()
  clock.advance(999)
  expect(expired).toEqual([])
  clock.advance(1)
  expect(expired).toEqual([11_500])
})

test('ReadDeadline resumed without having been suspended does not begin anew', () => {
  const { clock, deadline, expired } = setUp()
  clock.advance(500)
  deadline.resume()
  clock.advance(500)
  expect(expired).toEqual([1000])
})

test('ReadDeadline cancelled leaves no timer', () => {
  const { clock, deadline, expired } = setUp()
  deadline.cancel()
  expect(clock.pendingTimers).toBe(0)
  clock.advance(5000)
  expect(expired).toEqual([])
})
