import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { NodePrivateKey } from '../../src/keys/node-key.ts'
import { createHttpListener, type HttpListener } from '../../src/listen/node/http-listener.ts'
import { createRelay, type Relay } from '../../src/relay.ts'
import { NodeConn } from '../../src/transport/node-conn.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { payload } from '../support/payload.ts'
import { RawClient } from '../support/raw-client.ts'
import { until } from '../support/settle.ts'

const CONNECTIONS = 2_000
const CONCURRENCY = 100
const ACCEPT_TIMEOUT_MS = 10_000
const REQUEST = 'GET /derp HTTP/1.1\r\nHost: x\r\nUpgrade: DERP\r\nConnection: Upgrade\r\nDerp-Fast-Start: 1\r\n\r\n'

let clock: FakeClock
let relay: Relay
let listener: HttpListener
let port: number

beforeAll(async () => {
  clock = new FakeClock()
  relay = createRelay({ privateKey: NodePrivateKey.generate(), clock })
  listener = createHttpListener({ routes: relay.routes, clock, acceptTimeoutMs: ACCEPT_TIMEOUT_MS })
  port = (await listener.listen(0, '127.0.0.1')).port
})
afterAll(async () => {
  relay.close()
  await listener.close()
})

function socketTo(): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => resolve(socket))
    socket.once('error', reject)
  })
}

async function loggedIn(): Promise<RawClient> {
  const socket = await socketTo()
  socket.write(REQUEST)
  return RawClient.login(new NodeConn(socket))
}

const WEBSOCKET_REQUEST =
  'GET /derp HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n' +
  'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: derp\r\n\r\n'

/** Hostile connections; silent ones run into the deadline. */
const attacks: ((socket: Socket, n: number) => void)[] = [
  (socket, n) => socket.write(payload(200, n)),
  socket => socket.write(REQUEST.slice(0, 40)),
  (socket, n) => socket.write(Buffer.concat([Buffer.from(REQUEST), payload(300, n)])),
  (socket, n) => socket.write(Buffer.concat([Buffer.from(REQUEST), Buffer.of(2, 0, 0, 0, 120), payload(60, n)])),
  (socket, n) => socket.write(Buffer.concat([Buffer.from(REQUEST), Buffer.of(2, 0, 0, 0, 120), payload(120, n)])),
  socket => socket.resetAndDestroy(),
  socket => {
    socket.write(REQUEST)
    setImmediate(() => socket.resetAndDestroy())
  },
  (socket, n) => socket.write(Buffer.concat([Buffer.from(WEBSOCKET_REQUEST), payload(300, n)])),
  socket => socket.write(WEBSOCKET_REQUEST),
  () => {},
]

test('2,000 hostile connections leave all gauges unchanged, and the relay keeps working (P-007, P-030, P-035)', async () => {
  const [a, b] = [await loggedIn(), await loggedIn()]
  const gauges = async () => {
    const { relay: snapshot } = await relay.metrics()
    const { currentConnections, currentHomeConnections, currentNotIdealConnections } = snapshot.counters
    const { totalKeys, localKeys, watchers, pendingBytes, pendingLogins } = snapshot
    const connections = { currentConnections, currentHomeConnections, currentNotIdealConnections }
    return { ...connections, totalKeys, localKeys, watchers, pendingBytes, pendingLogins }
  }
  const before = await gauges()
  const accepted = new Set<Socket>()
  listener.server.on('connection', (socket: Socket) => {
    accepted.add(socket)
    socket.once('close', () => accepted.delete(socket))
  })

  for (let n = 0; n < CONNECTIONS; n += CONCURRENCY) {
    await Promise.all(
      Array.from({ length: CONCURRENCY }, async (_, at) => {
        const socket = await socketTo()
        socket.on('error', () => {}).on('data', () => {})
        attacks[(n + at) % attacks.length]?.(socket, n + at)
      }),
    )
  }
  // Connections are accepted in order: once this one gets a response, all others have been accepted.
  const probe = await socketTo()
  probe.write('GET /derp/probe HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
  await once(probe.resume(), 'close')
  clock.advance(ACCEPT_TIMEOUT_MS)
  await until(() => accepted.size === 0, 'no hostile connection has outlived its deadline')
  expect(await gauges()).toEqual(before)
  expect(relay.core.registry?.inconsistencies(2)).toEqual([])

  a.packet(b.publicKey, 'still there')
  expect(await b.messageOf('receivedPacket')).toMatchObject({ source: a.publicKey })
  a.close()
  b.close()
})
