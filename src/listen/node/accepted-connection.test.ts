import type { Socket } from 'node:net'
import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { FakeClock } from '../../../test/support/fake-clock.ts'
import { AcceptDeadlines } from '../accept-deadline.ts'
import { Connection, type Stage } from './accepted-connection.ts'

const newSocket = () => new PassThrough() as unknown as Socket

test('a connection enters one stage after the other, and none after the last', () => {
  const entered: string[] = []
  const stages: Stage[] = ['one', 'two'].map(name => ({ name, clause: '', run: () => entered.push(name) }))
  const connection = new Connection(newSocket(), stages)
  expect(entered).toEqual([])
  for (let at = 0; at < 3; at++) connection.proceed()
  expect(entered).toEqual(['one', 'two'])
})

test('a connection is destroyed when the socket is that was accepted, not the one above it', () => {
  const connection = new Connection(newSocket(), [])
  connection.socket = newSocket()
  connection.socket.destroy()
  expect(connection.destroyed).toBe(false)
  connection.raw.destroy()
  expect(connection.destroyed).toBe(true)
})

test('a client that has made its request has no deadline any more (P-035)', () => {
  const clock = new FakeClock()
  const expired: Socket[] = []
  const connection = new Connection(newSocket(), [])
  expect(connection.liftDeadline()).toBe(undefined)
  clock.advance(7)
  connection.deadline = new AcceptDeadlines(clock, 10_000, socket => expired.push(socket)).begin(connection.raw)
  expect(connection.liftDeadline()).toBe(7)
  expect(connection.liftDeadline()).toBe(undefined)
  clock.advance(20_000)
  expect([expired, connection.destroyed]).toEqual([[], false])
})
