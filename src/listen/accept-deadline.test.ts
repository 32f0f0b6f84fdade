import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { expect, test } from 'vitest'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { AcceptDeadlines } from './accept-deadline.ts'

/** As much of a socket as is looked at. */
class FakeSocket extends EventEmitter {
  readonly localAddress = '127.0.0.1'
  readonly localPort = 443
  readonly remoteAddress: string | undefined
  readonly remotePort: number
  destroyed = false

  constructor(remotePort: number, remoteAddress?: string) {
    super()
    this.remotePort = remotePort
    this.remoteAddress = remoteAddress
  }

  destroy(): void {
    this.destroyed = true
  }
}

function setUp(): { clock: FakeClock; deadlines: AcceptDeadlines; expired: Socket[] } {
  const clock = new FakeClock()
  const expired: Socket[] = []
  return { clock, deadlines: new AcceptDeadlines(clock, 10_000, socket => expired.push(socket)), expired }
}

const socketOf = (port: number, address = '192.0.2.1') => new FakeSocket(port, address) as FakeSocket & Socket

test('AcceptDeadlines ends a connection that is too slow, and no other (P-035)', () => {
  const { clock, deadlines, expired } = setUp()
  const slow = socketOf(1)
  const later = socketOf(2)
  deadlines.begin(slow)
  clock.advance(5_000)
  deadlines.begin(later)
  clock.advance(5_000)
  expect([slow.destroyed, later.destroyed]).toEqual([true, false])
  expect(expired).toEqual([slow])
  expect(deadlines.pending).toBe(1)
})

test('AcceptDeadlines knows a connection again by its addresses, and tells once when it was accepted (P-035)', () => {
  const { clock, deadlines, expired } = setUp()
  clock.advance(7)
  deadlines.begin(socketOf(1))
  clock.advance(100)
  // What TLS shows in place of the raw socket.
  const secured = socketOf(1)
  expect(deadlines.end(secured)).toBe(7)
  expect(deadlines.end(secured)).toBeUndefined()
  expect(deadlines.end(socketOf(2))).toBeUndefined()
  clock.advance(60_000)
  expect(expired).toEqual([])
  expect(clock.pendingTimers).toBe(0)
})

test('AcceptDeadlines forgets a connection that closes', () => {
  const { clock, deadlines } = setUp()
  const socket = socketOf(1)
  deadlines.begin(socket)
  socket.emit('close')
  expect([deadlines.pending, clock.pendingTimers]).toEqual([0, 0])
})

test('AcceptDeadlines ends at once what was reset before it could be looked at, and mixes up none of them', () => {
  const { clock, deadlines, expired } = setUp()
  const sockets = [1, 2].map(port => new FakeSocket(port) as FakeSocket & Socket)
  for (const socket of sockets) deadlines.begin(socket)
  expect(sockets.map(socket => socket.destroyed)).toEqual([true, true])
  expect([deadlines.pending, clock.pendingTimers, expired.length]).toEqual([0, 0, 0])
})

test('AcceptDeadlines.destroyPending ends those that have not said what they want, and no others', () => {
  const { deadlines } = setUp()
  const waiting = socketOf(1)
  const served = socketOf(2)
  deadlines.begin(waiting)
  deadlines.begin(served)
  deadlines.end(served)
  deadlines.destroyPending()
  expect([waiting.destroyed, served.destroyed]).toEqual([true, false])
})
