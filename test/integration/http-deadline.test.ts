import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { expect, test } from 'vitest'
import { FakeClock } from '../support/fake-clock.ts'
import { ListeningRelay } from '../support/listening-relay.ts'
import { exchange, request } from '../support/raw-http.ts'
import { until } from '../support/settle.ts'
import { TestCa } from '../support/test-ca.ts'

const UPGRADE = 'GET /derp HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: DERP\r\n\r\n'

/** Resolves when the peer has closed the connection. */
function closed(socket: Socket): Promise<void> {
  socket.on('error', () => {})
  return new Promise(resolve => socket.once('close', () => resolve()))
}

async function startTls(clock: FakeClock, expired: Socket[]): Promise<ListeningRelay> {
  const certificate = await (await TestCa.create()).issue({ dns: ['relay.test'] })
  return ListeningRelay.start({
    clock,
    tls: { hostname: 'relay.test', certificate },
    onAcceptTimeout: socket => expired.push(socket),
  })
}

test('a connection without a complete request is closed after 10 s, even if it trickles (P-035)', async () => {
  const clock = new FakeClock()
  const expired: Socket[] = []
  await using relay = await ListeningRelay.start({ clock, onAcceptTimeout: socket => expired.push(socket) })
  const silent = connect(relay.port, '127.0.0.1')
  const slow = connect(relay.port, '127.0.0.1')
  slow.write('GET /derp HTT')
  await relay.accepted(2)
  clock.advance(9_999)
  expect(expired).toEqual([])
  clock.advance(1)
  await Promise.all([closed(silent), closed(slow)])
  expect(expired).toHaveLength(2)
})

test('the login timeout may exceed the request timeout (P-035, P-107)', async () => {
  await using relay = await ListeningRelay.start({ acceptTimeoutMs: 3_600_000 })
  expect((await request(relay.port, 'GET /derp/probe')).status).toBe(200)
})

test('a completed request lifts the deadline of its connection (P-035)', async () => {
  const clock = new FakeClock()
  await using relay = await ListeningRelay.start({ clock })
  const socket = connect(relay.port, '127.0.0.1')
  const probe = 'GET /derp/probe HTTP/1.1\r\nHost: h\r\n\r\n'
  await relay.accepted(1)
  clock.advance(6_000)
  await exchange(socket, probe)
  clock.advance(4_999)
  expect((await exchange(socket, probe)).status).toBe(200)
  socket.destroy()
})

test('the login deadline counts from accept, over HTTP (P-035)', async () => {
  const clock = new FakeClock()
  await using relay = await ListeningRelay.start({ clock })
  const socket = connect(relay.port, '127.0.0.1')
  await relay.accepted(1)
  clock.advance(6_000)
  await exchange(socket, UPGRADE)
  clock.advance(3_999)
  expect(relay.relay.core.pendingLogins).toBe(1)
  clock.advance(1)
  await closed(socket)
  expect(relay.relay.core.counters.failures).toEqual({ ERR_DERP_LOGIN_TIMEOUT: 1 })
})

test('a connection without a TLS handshake is closed after 10 s (P-035)', async () => {
  const clock = new FakeClock()
  const expired: Socket[] = []
  await using relay = await startTls(clock, expired)
  const socket = connect(relay.port, '127.0.0.1')
  await relay.accepted(1)
  clock.advance(10_000)
  await closed(socket)
  expect(expired).toHaveLength(1)
  await until(() => relay.relay.http.tlsHandshakeFailures.closed === 1, 'the handshake has failed')
})

test('the login deadline counts from accept, over TLS and HTTP (P-035)', async () => {
  const clock = new FakeClock()
  const expired: Socket[] = []
  await using relay = await startTls(clock, expired)
  const tcp = connect(relay.port, '127.0.0.1')
  await relay.accepted(1)
  clock.advance(4_000)
  const socket = connectTls({ socket: tcp, servername: 'relay.test', rejectUnauthorized: false })
  await new Promise(resolve => socket.once('secureConnect', resolve))
  clock.advance(4_000)
  await exchange(socket, UPGRADE)
  clock.advance(1_999)
  expect(relay.relay.core.pendingLogins).toBe(1)
  clock.advance(1)
  await closed(socket)
  expect(relay.relay.core.counters.failures).toEqual({ ERR_DERP_LOGIN_TIMEOUT: 1 })
  expect(expired).toEqual([])
})

test('closing a listener closes connections in the handshake and without a request', async () => {
  const relay = await startTls(new FakeClock(), [])
  const handshaking = connect(relay.port, '127.0.0.1')
  const silent = connectTls({
    port: relay.port,
    host: '127.0.0.1',
    servername: 'relay.test',
    rejectUnauthorized: false,
  })
  await new Promise(resolve => silent.once('secureConnect', resolve))
  await relay.accepted(2)
  const ended = Promise.all([closed(handshaking), closed(silent)])
  await relay[Symbol.asyncDispose]()
  await ended
})
