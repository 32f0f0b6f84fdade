import { once } from 'node:events'
import { connect as connectTcp, type Socket } from 'node:net'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { NodeConn } from '../../src/transport/node-conn.ts'
import { clientHello, tlsRecord } from '../support/client-hello.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { ListeningRelay } from '../support/listening-relay.ts'
import { IN_BUN } from '../support/own-runtime.ts'
import { payload } from '../support/payload.ts'
import { RawClient } from '../support/raw-client.ts'
import { exchange } from '../support/raw-http.ts'
import { until } from '../support/settle.ts'
import { TestCa } from '../support/test-ca.ts'

const NAME = 'relay.test'
const CONNECTIONS = 600
const CONCURRENCY = 60
const UPGRADE = 'GET /derp HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: DERP\r\n\r\n'
const PROBE = 'GET /derp/probe HTTP/1.1\r\nHost: h\r\n\r\n'
/** TLS record types. */
const [ALERT, HANDSHAKE, APPLICATION_DATA] = [21, 22, 23]

let clock: FakeClock
let relay: ListeningRelay
let hello: Buffer

beforeAll(async () => {
  clock = new FakeClock()
  const certificate = await (await TestCa.create()).issue({ dns: [NAME] })
  relay = await ListeningRelay.start({ clock, limits: {}, tls: { hostname: NAME, certificate } })
  hello = await clientHello({ servername: NAME })
})
afterAll(() => relay[Symbol.asyncDispose]())

async function dial(options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({ port: relay.port, servername: NAME, rejectUnauthorized: false, ...options })
  await once(socket, 'secureConnect')
  return socket
}

async function loggedIn(): Promise<RawClient> {
  const socket = await dial()
  const { body } = await exchange(socket, UPGRADE)
  return RawClient.login(new NodeConn(socket, body))
}

/** A ClientHello that announces `length` bytes and sends `sent` of them, in records of the greatest length. */
function oversizedHello(length: number, sent: number): Buffer {
  const message = Buffer.concat([Buffer.of(1, length >> 16, (length >> 8) & 255, length & 255), Buffer.alloc(sent)])
  const records: Buffer[] = []
  for (let at = 0; at < message.length; at += 16_384) {
    records.push(tlsRecord(HANDSHAKE, message.subarray(at, at + 16_384)))
  }
  return Buffer.concat(records)
}

/** Each starts with a TCP connection, and leaves it to the relay. */
const attacks: ((socket: Socket, n: number) => unknown)[] = [
  // Handshakes that stop midway: within the ClientHello, and after it.
  socket => socket.write(hello.subarray(0, 100)),
  socket => socket.write(hello),
  socket => socket.write(Buffer.concat([hello, hello])),
  // Meaningless records.
  (socket, n) => socket.write(payload(300, n)),
  (socket, n) => socket.write(tlsRecord(HANDSHAKE, payload(16_384, n))),
  (socket, n) => socket.write(tlsRecord(APPLICATION_DATA, payload(1_000, n))),
  socket => socket.write(Buffer.concat(Array<Buffer>(1_000).fill(tlsRecord(ALERT, Buffer.of(1, 90))))),
  socket => socket.write(Buffer.concat([hello, ...Array<Buffer>(1_000).fill(tlsRecord(20, Buffer.of(1)))])),
  // ClientHellos that are too long, announced or sent.
  socket => socket.write(oversizedHello(0xff_ff_ff, 1_000)),
  socket => socket.write(oversizedHello(200_000, 200_000)),
  // Distinct server names, and none.
  async (socket, n) => socket.write(await clientHello({ servername: `name-${n}.test` })),
  async socket => socket.write(await clientHello({})),
  // HTTP, and nothing at all.
  socket => socket.write('GET / HTTP/1.1\r\n\r\n'),
  socket => socket.resetAndDestroy(),
  () => {},
]

/** Values that must be unchanged. */
async function gauges() {
  const { relay: snapshot, http, connections } = await relay.relay.metrics()
  const { totalKeys, localKeys, pendingBytes, pendingLogins, counters } = snapshot
  const { currentConnections, logins } = counters
  const { open } = connections ?? {}
  return { totalKeys, localKeys, pendingBytes, pendingLogins, currentConnections, logins, open, tls: http.tlsActive }
}

test('600 hostile TLS connections leave all gauges unchanged, and the relay keeps working (P-035, P-142)', async () => {
  const [a, b] = [await loggedIn(), await loggedIn()]
  const before = structuredClone(await gauges())
  const { http } = relay.relay
  for (let n = 0; n < CONNECTIONS; n += CONCURRENCY) {
    await Promise.all(
      Array.from({ length: CONCURRENCY }, async (_, at) => {
        const socket = connectTcp(relay.port, '127.0.0.1')
        await once(socket, 'connect')
        socket.on('error', () => {}).on('data', () => {})
        await attacks[(n + at) % attacks.length]?.(socket, n + at)
      }),
    )
  }
  // Connections are accepted in order: once this one gets a response, all others have been accepted.
  const last = await dial()
  await exchange(last, PROBE)
  clock.advance(10_000)
  last.destroy()
  await until(() => relay.limits?.counters.open === before.open, 'no hostile connection has outlived its deadline')
  expect(structuredClone(await gauges())).toEqual(before)
  // Connections reset before their first read never start a handshake.
  const counted = () => Object.values(http.tlsHandshakeFailures).reduce((sum, count) => sum + count, 0)
  await until(() => counted() === http.tlsAccepted - 3, 'every handshake but three has failed')
  const failures = counted()
  expect(failures).toBeGreaterThanOrEqual(CONNECTIONS - CONNECTIONS / attacks.length)
  expect(failures).toBeLessThanOrEqual(CONNECTIONS)

  a.packet(b.publicKey, 'still there')
  expect(await b.messageOf('receivedPacket')).toMatchObject({ source: a.publicKey })
  a.close()
  b.close()
})

// Bun's client does not support it.
test.skipIf(IN_BUN)('a client cannot renegotiate, before or after the upgrade (P-142)', async () => {
  for (const request of [PROBE, UPGRADE]) {
    const socket = await dial({ maxVersion: 'TLSv1.2' })
    await exchange(socket, request)
    const failed = once(socket, 'error')
    socket.renegotiate({}, () => {})
    expect(await failed).toMatchObject([{ code: 'ERR_SSL_NO_RENEGOTIATION' }])
    socket.destroy()
  }
})
