import { expect, test } from 'vitest'
import { FakeClock } from '../../../test/support/fake-clock.ts'
import { type DeadlineHolder, WriteDeadlines } from './write-deadlines.ts'

/** A clock whose thread may stand still: timers that were due meanwhile are late. */
class StallingClock extends FakeClock {
  #stalledMs = 0
  override now(): number {
    return super.now() + this.#stalledMs
  }
  stall(ms: number): void {
    this.#stalledMs += ms
    this.advance(Math.max(0, ...this.timersInMs))
  }
}

function holder(): DeadlineHolder & { timeouts: number } {
  return {
    timeouts: 0,
    onWriteTimeout() {
      this.timeouts++
    },
  }
}

test('WriteDeadlines times out a holder once if its write is not finished in time (P-101)', () => {
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

test('WriteDeadlines does not time out a finished write, and times each write from its start (P-101)', () => {
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

test('WriteDeadlines drop all writes and the timer when closed, and can be reused (P-101)', () => {
  const clock = new FakeClock()
  const deadlines = new WriteDeadlines(clock, 2_000)
  const slow = holder()
  const dropped = holder()
  deadlines.begin(dropped, clock.now())
  deadlines.begin(slow, clock.now())
  deadlines.close()
  deadlines.close()
  expect([clock.pendingTimers, ...deadlines.pending()]).toEqual([0])
  clock.advance(1_000)
  deadlines.begin(slow, clock.now())
  clock.advance(1_999)
  expect(slow.timeouts).toBe(0)
  clock.advance(1)
  expect([slow.timeouts, dropped.timeouts]).toEqual([1, 0])
})

test('WriteDeadlines use one timer for all writes, and none while there are no writes (P-101)', () => {
  const clock = new FakeClock()
  const deadlines = new WriteDeadlines(clock, 2_000)
  const holders = [holder(), holder(), holder()]
  for (const each of holders) {
    deadlines.begin(each, clock.now())
    clock.advance(500)
    expect(clock.pendingTimers).toBe(1)
  }
  for (const expected of [
    [1, 0, 0],
    [1, 1, 0],
    [1, 1, 1],
  ]) {
    clock.advance(500)
    expect(holders.map(({ timeouts }) => timeouts)).toEqual(expected)
  }
  expect(clock.pendingTimers).toBe(0)
})

test('WriteDeadlines allow a new write, or close, while one expires (P-101)', () => {
  const clock = new FakeClock()
  const deadlines = new WriteDeadlines(clock, 2_000)
  const later = holder()
  const again: DeadlineHolder & { timeouts: number } = {
    timeouts: 0,
    onWriteTimeout() {
      if (++this.timeouts === 1) deadlines.begin(this, clock.now())
      else deadlines.close()
    },
  }
  deadlines.begin(again, clock.now())
  clock.advance(1_000)
  deadlines.begin(later, clock.now())
  clock.advance(1_000)
  expect([again.timeouts, clock.pendingTimers]).toEqual([1, 1])
  clock.advance(1_000)
  expect([again.timeouts, later.timeouts]).toEqual([1, 1])
  clock.advance(1_000)
  expect([again.timeouts, clock.pendingTimers]).toEqual([2, 0])
})

test('WriteDeadlines gives writes a moment after a stall: they may be done already (P-101)', () => {
  const clock = new StallingClock()
  const deadlines = new WriteDeadlines(clock, 2_000)
  const [done, stuck] = [holder(), holder()]
  for (const each of [done, stuck]) deadlines.begin(each, clock.now())
  clock.stall(60_000)
  expect([done.timeouts, stuck.timeouts]).toEqual([0, 0])
  deadlines.end(done)
  clock.advance(200)
  expect([done.timeouts, stuck.timeouts]).toEqual([0, 1])
})

test('WriteDeadlines time out writes at once after a delay of half a second: that is no stall (P-101)', () => {
  const clock = new StallingClock()
  const deadlines = new WriteDeadlines(clock, 2_000)
  const stuck = holder()
  deadlines.begin(stuck, clock.now())
  clock.stall(500)
  expect(stuck.timeouts).toBe(1)
})
