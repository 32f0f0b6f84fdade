import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import type { Server, TLSSocket } from 'node:tls'
import { expect, test } from 'vitest'
import { Connection } from './accepted-connection.ts'
import { type FailedHandshake, failureOf, TlsHandshakes } from './tls-handshakes.ts'

const RESET = Object.assign(new Error('read: reset'), { code: 'ECONNRESET' })

function setUp() {
  const server = new EventEmitter()
  const failed: FailedHandshake[] = []
  const handshakes = new TlsHandshakes(server as unknown as Server, failure => failed.push(failure))
  const raw = Object.assign(new EventEmitter(), { remoteAddress: '192.0.2.1' }) as unknown as Socket
  let proceeded = 0
  const connection = new Connection(raw, [{ name: '', clause: '', run: () => proceeded++ }])
  return { server, failed, handshakes, raw, connection, proceeded: () => proceeded }
}

/** As the platform's server has it, above `raw`. */
function tlsSocket(raw: Socket, servername: string | false | null = null): TLSSocket {
  return { _parent: raw, servername } as unknown as TLSSocket
}

/** What waits for the turn after a close. */
const nextTurn = () => new Promise(setImmediate)

test('TlsHandshakes reports a failed handshake once, with what is known of the client (P-142)', async () => {
  const { server, failed, handshakes, raw, connection } = setUp()
  handshakes.expect(connection)
  server.emit('tlsClientError', RESET, tlsSocket(raw, 'relay.test'))
  raw.emit('close')
  await nextTurn()
  expect(failed).toEqual([{ error: RESET, serverName: 'relay.test', remoteAddress: '192.0.2.1', connection }])
})

test('TlsHandshakes lets the platform report a close first, and reports it after that (P-142)', async () => {
  const { server, failed, handshakes, raw, connection } = setUp()
  handshakes.expect(connection)
  raw.emit('close')
  expect(failed).toEqual([])
  await nextTurn()
  expect(failed).toMatchObject([{ error: { code: 'ECONNRESET' }, serverName: undefined, connection }])
  const other = setUp()
  other.handshakes.expect(other.connection)
  other.raw.emit('close')
  other.server.emit('tlsClientError', RESET, tlsSocket(other.raw))
  await nextTurn()
  expect(other.failed.map(({ error }) => error)).toEqual([RESET])
  server.emit('tlsClientError', RESET, tlsSocket(raw))
  expect(failed[1]).toMatchObject({ error: RESET, connection: undefined })
})

test('TlsHandshakes fails a handshake that has not begun, and once only (P-142)', async () => {
  const { failed, handshakes, raw, connection } = setUp()
  handshakes.expect(connection)
  handshakes.fail(connection, RESET)
  raw.emit('close')
  await nextTurn()
  expect(failed).toEqual([{ error: RESET, serverName: undefined, remoteAddress: '192.0.2.1', connection }])
})

test('TlsHandshakes reports nothing of a connection that it has released (P-147)', async () => {
  const { failed, handshakes, raw, connection } = setUp()
  handshakes.expect(connection)
  handshakes.release(connection)
  raw.emit('close')
  await nextTurn()
  expect([failed, raw.listenerCount('close')]).toEqual([[], 0])
})

test('a secure connection proceeds above TLS, and leaves no listener behind (P-142)', () => {
  const { server, failed, handshakes, raw, connection, proceeded } = setUp()
  const secure = tlsSocket(raw)
  handshakes.expect(connection)
  server.emit('secureConnection', secure)
  expect([connection.socket, proceeded(), failed, raw.listenerCount('close')]).toEqual([secure, 1, [], 0])
})

test('a secure connection that nobody expects is a fault of the program', () => {
  const { server, raw } = setUp()
  expect(() => server.emit('secureConnection', tlsSocket(raw))).toThrow('it was not expected')
})

test.each([
  ['its own', { remoteAddress: '192.0.2.1', _parent: { remoteAddress: '192.0.2.9' } }, '192.0.2.1'],
  ['that of the socket below', { _parent: { remoteAddress: '192.0.2.9' } }, '192.0.2.9'],
  ['none', { _parent: null }, undefined],
])('failureOf tells the address of a client: %s', (_, socket, remoteAddress) => {
  const known = { ...socket, servername: false } as unknown as TLSSocket
  expect(failureOf(RESET, known)).toEqual({ error: RESET, serverName: undefined, remoteAddress })
})
