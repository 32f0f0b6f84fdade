import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { expect, test } from 'vitest'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { AcceptDeadlines } from './accept-deadline.ts'

/** The part of a socket that is used. */
class FakeSocket extends EventEmitter {
  destroyed = false

  destroy(): void {
    this.destroyed = true
  }
}

function setUp(): { clock: FakeClock; deadlines: AcceptDeadlines; expired: Socket[] } {
  const clock = new FakeClock()
  const expired: Socket[] = []
  return { clock, deadlines: new AcceptDeadlines(clock, 10_000, socket => expired.push(socket)), expired }
}

const socketOf = () => new FakeSocket() as FakeSocket & Socket

test('AcceptDeadlines closes a connection that is too slow, and no other (P-035)', () => {
  const { clock, deadlines, expired } = setUp()
  const slow = socketOf()
  const later = socketOf()
  deadlines.begin(slow)
  clock.advance(5_000)
  deadlines.begin(later)
  clock.advance(5_000)
  expect([slow.destroyed, later.destroyed]).toEqual([true, false])
  expect(expired).toEqual([slow])
  expect(deadlines.pending).toBe(1)
})

test('AcceptDeadlines lifts a deadline, which records when its connection was accepted (P-035)', () => {
  const { clock, deadlines, expired } = setUp()
  clock.advance(7)
  const socket = socketOf()
  const deadline = deadlines.begin(socket)
  clock.advance(100)
  deadline.lift()
  expect(deadline.acceptedAtMs).toBe(7)
  clock.advance(60_000)
  expect([expired, socket.listenerCount('close')]).toEqual([[], 0])
  expect([deadlines.pending, clock.pendingTimers]).toEqual([0, 0])
})

test('AcceptDeadlines forgets a connection that closes', () => {
  const { clock, deadlines } = setUp()
  const socket = socketOf()
  deadlines.begin(socket)
  socket.emit('close')
  expect([deadlines.pending, clock.pendingTimers]).toEqual([0, 0])
})

test('AcceptDeadlines.destroyPending closes connections without a request yet, and no others', () => {
  const { deadlines } = setUp()
  const waiting = socketOf()
  const served = socketOf()
  deadlines.begin(waiting)
  deadlines.begin(served).lift()
  deadlines.destroyPending()
  expect([waiting.destroyed, served.destroyed]).toEqual([true, false])
})
