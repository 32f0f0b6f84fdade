import { expect, test } from 'vitest'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { type DeadlineHolder, WriteDeadlines } from './write-deadlines.ts'

function holder(): DeadlineHolder & { timeouts: number } {
  return {
    timeouts: 0,
    onWriteTimeout() {
      this.timeouts++
    },
  }
}

test('WriteDeadlines ends a holder whose write is not finished in time, once (P-101)', () => {
  const clock = new FakeClock()
  const deadlines = new WriteDeadlines(clock, 2_000)
  const slow = holder()
  deadlines.begin(slow, clock.now())
  clock.advance(1_999)
  expect(slow.timeouts).toBe(0)
  clock.advance(1)
  expect(slow.timeouts).toBe(1)
  clock.advance(10_000)
  expect(slow.timeouts).toBe(1)
})

test('WriteDeadlines spares a holder whose write ended, and times each write from its own beginning (P-101)', () => {
  const clock = new FakeClock()
  const deadlines = new WriteDeadlines(clock, 2_000)
  const quick = holder()
  const slow = holder()
  deadlines.begin(quick, clock.now())
  clock.advance(1_000)
  deadlines.begin(slow, clock.now())
  deadlines.end(quick)
  clock.advance(1_500)
  deadlines.begin(quick, clock.now())
  expect(slow.timeouts).toBe(0)
  clock.advance(500)
  expect([quick.timeouts, slow.timeouts]).toEqual([0, 1])
  clock.advance(1_500)
  expect([quick.timeouts, slow.timeouts]).toEqual([1, 1])
})

test('WriteDeadlines of zero never expire (P-101)', () => {
  const clock = new FakeClock()
  const deadlines = new WriteDeadlines(clock, 0)
  const patient = holder()
  deadlines.begin(patient, clock.now())
  clock.advance(3_600_000)
  expect([patient.timeouts, clock.pendingTimers]).toEqual([0, 0])
})
