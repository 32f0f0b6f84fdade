import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { expect, test } from 'vitest'
import { varzSamples } from '../../scripts/metric-names.ts'
import { MeshKey } from '../../src/keys/mesh-key.ts'
import { prometheusText } from '../../src/status/varz-prometheus.ts'
import { NodeConn } from '../../src/transport/node-conn.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { ListeningRelay, type ListeningRelayOptions } from '../support/listening-relay.ts'
import { MemoryRelay } from '../support/memory-relay.ts'
import { RawClient } from '../support/raw-client.ts'
import { exchange, request } from '../support/raw-http.ts'
import { until } from '../support/settle.ts'
import { TestCa } from '../support/test-ca.ts'

const MESH_TEXT = '9f'.repeat(32)
const MESH_KEY = MeshKey.parse(MESH_TEXT)
const PROBE = 'GET /derp/probe HTTP/1.1\r\nHost: h\r\n\r\n'

/** Result of a request on a connection from `localAddress`. */
async function probed(relay: ListeningRelay, localAddress = '127.0.0.1'): Promise<{ status: number; socket: Socket }> {
  const socket = connect({ port: relay.port, host: '127.0.0.1', localAddress })
  const status = await exchange(socket, PROBE).then(
    answer => answer.status,
    () => 0,
  )
  return { status, socket }
}

async function metric(relay: ListeningRelay, name: string): Promise<Record<string, number>> {
  const samples = varzSamples(prometheusText(await relay.relay.metrics())).filter(sample => sample.name === name)
  return Object.fromEntries(samples.map(({ labels, value }) => [labels, value]))
}

async function withTls(options: ListeningRelayOptions): Promise<ListeningRelay> {
  const certificate = await (await TestCa.create()).issue({ dns: ['relay.test'] })
  return ListeningRelay.start({ ...options, tls: { hostname: 'relay.test', certificate } })
}

test('a connection above the rate is closed immediately and counted; later ones are accepted again (P-108)', async () => {
  const clock = new FakeClock()
  await using relay = await ListeningRelay.start({ clock, limits: { rate: { perSecond: 1, burst: 2 } } })
  const outcomes = [await probed(relay), await probed(relay), await probed(relay), await probed(relay)]
  expect(outcomes.map(({ status }) => status)).toEqual([200, 200, 0, 0])
  clock.advance(1_000)
  outcomes.push(await probed(relay))
  expect(outcomes.at(-1)?.status).toBe(200)
  expect(await metric(relay, 'derphttp_connections_refused')).toMatchObject({ 'reason="rate"': 2 })
  expect(await metric(relay, 'derphttp_connections_accepted')).toEqual({ '': 3 })
  expect(await metric(relay, 'derphttp_connections')).toEqual({ '': 3 })
  for (const { socket } of outcomes) socket.destroy()
  await until(() => relay.limits?.counters.open === 0, 'the gauge is back')
})

test('a connection above the rate costs no TLS handshake, and both outcomes are counted (P-108, P-196)', async () => {
  await using relay = await withTls({ limits: { rate: { perSecond: 1e-9, burst: 1 } } })
  const [first, second] = [connect(relay.port, '127.0.0.1'), connect(relay.port, '127.0.0.1')]
  await once(second.resume(), 'close')
  const { http } = relay.relay
  expect([http.tlsAccepted, http.tlsRejected, http.tlsHandshakeFailures]).toEqual([1, 1, {}])
  expect(await metric(relay, 'tls_listener_rejected_connections')).toEqual({ '': 1 })
  first.destroy()
})

test('one source can neither open too many connections nor block others (P-109)', async () => {
  const limits = { sourceRate: { perSecond: 1e-9, burst: 3 }, maxConnectionsPerSource: 2 }
  await using relay = await ListeningRelay.start({ limits })
  const greedy = [await probed(relay), await probed(relay), await probed(relay)]
  expect(greedy.map(({ status }) => status)).toEqual([200, 200, 0])
  greedy[0]?.socket.destroy()
  await until(() => relay.limits?.counters.open === 1, 'one connection has ended')
  greedy.push(await probed(relay), await probed(relay))
  expect(greedy.slice(3).map(({ status }) => status)).toEqual([200, 0])
  greedy[1]?.socket.destroy()
  await until(() => relay.limits?.counters.open === 1, 'another one has ended')
  greedy.push(await probed(relay))
  const other = await probed(relay, '127.0.0.2')
  expect([greedy.at(-1)?.status, other.status]).toEqual([0, 200])
  expect(relay.limits?.counters.refused).toMatchObject({ source_connections: 2, source_rate: 1 })
  for (const { socket } of [...greedy, other]) socket.destroy()
})

test('connections above the limit are closed immediately, and open ones are unaffected (P-109)', async () => {
  await using relay = await ListeningRelay.start({ limits: { maxConnections: 2 } })
  const clients = [await loggedIn(relay), await loggedIn(relay)] as const
  expect((await probed(relay)).status).toBe(0)
  clients[0].packet(clients[1].publicKey, 'still there')
  expect(await clients[1].messageOf('receivedPacket')).toMatchObject({ source: clients[0].publicKey })
  clients[0].close()
  await until(() => relay.limits?.counters.open === 1, 'one connection has ended')
  const late = await probed(relay)
  expect([late.status, relay.limits?.counters.refused.connections]).toEqual([200, 1])
  late.socket.destroy()
  clients[1].close()
})

async function loggedIn(relay: ListeningRelay): Promise<RawClient> {
  const socket = connect(relay.port, '127.0.0.1')
  socket.write('GET /derp HTTP/1.1\r\nHost: h\r\nUpgrade: DERP\r\nConnection: Upgrade\r\nDerp-Fast-Start: 1\r\n\r\n')
  return RawClient.login(new NodeConn(socket))
}

test('a login above the client limit is refused, except for mesh peers, and logged once a minute (P-109)', async () => {
  const warnings: unknown[] = []
  const log = { debug() {}, info() {}, warn: (message: string) => void warnings.push(message), error() {} }
  const relay = new MemoryRelay({ maxClients: 2, meshKey: MESH_KEY, log })
  const [first] = [await relay.login(), await relay.login()]
  for (let n = 0; n < 10; n++) await expect(relay.login()).rejects.toThrow()
  expect(relay.core.counters.failures).toEqual({ ERR_DERP_RELAY_FULL: 10 })
  expect(warnings).toEqual(['logins refused'])
  await relay.login({ info: { meshKey: MESH_TEXT } })
  first.close()
  await until(() => relay.core.sessions.size === 2, 'a client has left')
  await expect(relay.login()).rejects.toThrow()
})

test('a request header above the limit is refused (P-107)', async () => {
  await using relay = await ListeningRelay.start({ listener: { maxHeaderBytes: 1_024 } })
  const answer = (bytes: number) => request(relay.port, 'GET /derp/probe', [`X-Padding: ${'x'.repeat(bytes)}`])
  expect([(await answer(500)).status, (await answer(2_000)).status]).toEqual([200, 431])
})

test('a connection that the system cannot accept is counted and logged, and affects no others (P-109)', async () => {
  await using relay = await ListeningRelay.start({ limits: {} })
  const failure = new Error('accept EMFILE')
  relay.listener.server.emit('error', failure)
  expect((await probed(relay)).status).toBe(200)
  expect(await metric(relay, 'derphttp_connections_refused')).toMatchObject({ 'reason="system"': 1 })
})
