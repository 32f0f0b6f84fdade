import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import type { HttpReply, HttpRequest } from '../../src/listen/http-service.ts'
import { createHttpListener } from '../../src/listen/node/http-listener.ts'
import { NodeConn } from '../../src/transport/node-conn.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { ListeningRelay } from '../support/listening-relay.ts'
import { RawClient } from '../support/raw-client.ts'
import { exchange, rawRequest } from '../support/raw-http.ts'
import { settle, until } from '../support/settle.ts'

const GET = 'GET / HTTP/1.1\r\nHost: h\r\n\r\n'
const UPGRADE = 'GET /derp HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: DERP\r\n\r\n'
/** More than the buffers of a loopback connection hold. */
const HUGE = 'x'.repeat(64 << 20)
const cleanups: (() => unknown)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup()
})

async function serve(answer: (request: HttpRequest) => HttpReply | Promise<HttpReply>) {
  const clock = new FakeClock()
  const listener = createHttpListener({ routes: { answer }, clock, acceptTimeoutMs: 10_000 })
  cleanups.push(() => listener.close())
  const { port } = await listener.listen(0, '127.0.0.1')
  return { clock, listener, port, dial: () => dialTo(port) }
}

function dialTo(port: number): Socket {
  const socket = connect(port, '127.0.0.1').on('error', () => {})
  cleanups.push(() => socket.destroy())
  return socket
}

const OK: HttpReply = { status: 200, body: 'ok' }

test('a connection is closed 5 s after its last reply, even with half a request (P-107)', async () => {
  const { clock, dial } = await serve(() => OK)
  const [silent, dawdling, busy] = [dial(), dial(), dial()]
  for (const socket of [silent, dawdling, busy]) await exchange(socket, GET)
  dawdling.write(GET.slice(0, 20))
  clock.advance(4_999)
  await exchange(busy, GET)
  expect([silent.closed, dawdling.closed]).toEqual([false, false])
  const ended = Promise.all([once(silent, 'close'), once(dawdling, 'close')])
  clock.advance(1)
  await ended
  expect((await exchange(busy, GET)).status).toBe(200)
})

test('a connection is closed when its reply is not read for 30 s (P-107)', async () => {
  const { clock, listener, dial } = await serve(() => ({ status: 200, body: HUGE }))
  const accepted = once(listener.server, 'connection')
  const socket = dial().pause()
  socket.write(GET)
  const [served] = (await accepted) as [Socket]
  await until(() => served.writableLength > 0, 'the reply is written')
  clock.advance(29_999)
  await settle()
  expect(served.destroyed).toBe(false)
  clock.advance(1)
  expect(served.destroyed).toBe(true)
})

test('a streamed reply ends when a chunk is not read for 30 s; chunks may be arbitrarily far apart (P-107)', async () => {
  let isHuge = false
  const next = Promise.withResolvers<void>()
  async function* pieces() {
    yield 'first'
    await next.promise
    isHuge = true
    yield HUGE
  }
  const { clock, listener, dial } = await serve(() => ({ status: 200, body: pieces() }))
  const accepted = once(listener.server, 'connection')
  const socket = dial()
  socket.write(GET)
  const [served] = (await accepted) as [Socket]
  await once(socket, 'data')
  clock.advance(3_600_000)
  await settle()
  expect([served.destroyed, isHuge]).toEqual([false, false])
  socket.pause()
  next.resolve()
  await until(() => served.writableLength > 0, 'the piece is written')
  clock.advance(30_000)
  expect(served.destroyed).toBe(true)
})

test('a streamed reply stops when its reader disconnects', async () => {
  const over = Promise.withResolvers<boolean>()
  async function* pieces(left: AbortSignal) {
    yield 'first'
    await new Promise(resolve => left.addEventListener('abort', resolve))
    over.resolve(left.aborted)
  }
  const { dial } = await serve(({ left }) => ({ status: 200, body: pieces(left) }))
  const socket = dial()
  socket.write(GET)
  await once(socket, 'data')
  socket.destroy()
  expect(await over.promise).toBe(true)
})

test('a reply may take 2 min to produce (P-107)', async () => {
  const { clock, dial } = await serve(() => new Promise<HttpReply>(() => {}))
  const socket = dial()
  const ended = once(socket.resume(), 'close')
  socket.write(GET)
  await until(() => clock.pendingTimers === 1 && socket.bytesWritten > 0, 'the request is read')
  await settle(20)
  clock.advance(119_999)
  await settle()
  expect(socket.closed).toBe(false)
  clock.advance(1)
  await ended
})

test('none of these timeouts ends an upgraded connection (P-107)', async () => {
  const clock = new FakeClock()
  await using relay = await ListeningRelay.start({ clock })
  const socket = dialTo(relay.port)
  await exchange(socket, 'GET /derp/probe HTTP/1.1\r\nHost: h\r\n\r\n')
  const { body } = await exchange(socket, UPGRADE)
  const client = await RawClient.login(new NodeConn(socket, body))
  clock.advance(3_600_000)
  await settle()
  expect(relay.relay.core.sessions.size).toBe(1)
  client.close()
})

test('stopping a listener closes connections without a pending request, and no others', async () => {
  const reply = Promise.withResolvers<HttpReply>()
  const { listener, dial } = await serve(({ target }) => (target === '/' ? OK : reply.promise))
  const [idle, busy, silent] = [dial(), dial(), dial()]
  await exchange(idle, GET)
  busy.write(GET.replace('/', '/busy'))
  await settle(20)
  listener.stopListening()
  await once(idle.resume(), 'close')
  reply.resolve(OK)
  const [answer] = (await once(busy, 'data')) as [Buffer]
  expect(String(answer)).toMatch(/^HTTP\/1.1 200 /)
  expect(silent.closed).toBe(false)
})

test('an HTTP/1.1 request without Host is malformed, an HTTP/1.0 request is not', async () => {
  const { port } = await serve(() => OK)
  const without = await rawRequest(port, 'GET / HTTP/1.1\r\n\r\n')
  expect([without.status, without.headers.get('connection'), String(without.body)]).toEqual([
    400,
    'close',
    '400 Bad Request: missing required Host header',
  ])
  expect((await rawRequest(port, 'GET / HTTP/1.0\r\n\r\n')).status).toBe(200)
})

test('a failing service gives status 500 (P-107)', async () => {
  const { port, dial } = await serve(async () => Promise.reject(new Error('no')))
  expect((await rawRequest(port, GET)).status).toBe(500)
  expect((await exchange(dial(), GET)).status).toBe(500)
})
