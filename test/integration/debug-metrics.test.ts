import { closeSync, openSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { connect as tlsConnect } from 'node:tls'
import { expect, test } from 'vitest'
import { varzSamples, varzShapes } from '../../scripts/metric-names.ts'
import { bootstrapDnsPage } from '../../src/http/pages/bootstrap-dns.ts'
import { BootstrapNames } from '../../src/http/pages/bootstrap-names.ts'
import { createRoutes } from '../../src/http/routes.ts'
import { derpEndpoint } from '../../src/http/upgrade/derp-endpoint.ts'
import { MeshKey } from '../../src/keys/mesh-key.ts'
import { NodePrivateKey } from '../../src/keys/node-key.ts'
import { encodeUtf8 } from '../../src/lib/bytes.ts'
import { silentLog } from '../../src/lib/log.ts'
import { AcceptLimits } from '../../src/listen/accept-limits.ts'
import { createHttpListener } from '../../src/listen/node/http-listener.ts'
import { createHttpsListener } from '../../src/listen/node/https-listener.ts'
import { HttpCounters } from '../../src/metrics/http-counters.ts'
import type { LinkRoutes } from '../../src/server/ports.ts'
import { DELAY_INTERVAL_MS, EventLoopDelay } from '../../src/status/event-loop-delay.ts'
import type { MetricReader } from '../../src/status/snapshot.ts'
import { prometheusText } from '../../src/status/varz-prometheus.ts'
import { encodeBindingRequest } from '../../src/stun/message.ts'
import { StunResponder } from '../../src/stun/responder.ts'
import { createMetaCertificate } from '../../src/tls/meta-cert.ts'
import { RelayTls } from '../../src/tls/relay-tls.ts'
import { MemoryRelay } from '../support/memory-relay.ts'
import { testMetrics } from '../support/metrics.ts'
import type { RawClient } from '../support/raw-client.ts'
import { until } from '../support/settle.ts'
import { TestLink } from '../support/test-link.ts'
import { TLS_CERT, TLS_KEY } from '../support/tls-fixture.ts'

const MESH_KEY = 'cd'.repeat(32)
const OTHER = new Uint8Array(100)
const DISCO = Uint8Array.from([...encodeUtf8('TS\u{1F4AC}'), ...new Uint8Array(94)])
const KINDS = [DISCO, OTHER]

const { neverMoves } = JSON.parse(readFileSync(new URL('../golden/metric-names.json', import.meta.url), 'utf8')) as {
  neverMoves: Record<string, string>
}

/** Samples all metrics repeatedly, and reports those that never change. */
class MetricWatch {
  readonly #metrics: MetricReader
  readonly #looks: Map<string, number>[] = []
  #names: string[] = []

  constructor(metrics: MetricReader) {
    this.#metrics = metrics
  }

  async look(): Promise<void> {
    const text = prometheusText(await this.#metrics())
    const counts = varzSamples(text).filter(({ name }) => !/_(?:bucket|sum)$/.test(name))
    this.#looks.push(
      new Map(counts.map(({ name, labels, value }) => [labels === '' ? name : `${name}{${labels}}`, value])),
    )
    this.#names = Object.keys(varzShapes(text))
  }

  /** The first value of a sample. */
  first(sample: string): number {
    const value = this.#looks[0]?.get(sample)
    if (value === undefined) throw new Error(`first look at ${sample}: not among the metrics`)
    return value
  }

  /** Samples that never changed, and metrics without samples. */
  unmoved(): string[] {
    const samples = [...new Set(this.#looks.flatMap(look => [...look.keys()]))]
    const sampled = new Set(samples.map(sample => sample.replace(/(?:_count)?(?:\{.*)?$/, '')))
    return [
      // A label that appears later was 0 before.
      ...samples.filter(sample => new Set(this.#looks.map(look => look.get(sample) ?? 0)).size === 1),
      ...this.#names.filter(name => !sampled.has(name)),
    ]
  }
}

/** One scenario, sampling the metrics while gauges are high. */
interface Scene {
  readonly relay: MemoryRelay
  readonly http: HttpCounters
  readonly stun: StunResponder
  readonly watch: MetricWatch
}

function createScene(): Scene {
  const relay = new MemoryRelay({ meshKey: MeshKey.parse(MESH_KEY), pingClientsMs: 7_000 })
  const http = new HttpCounters()
  const stun = new StunResponder()
  const watch = new MetricWatch(testMetrics(relay.core, { http, stun: () => stun.counters }))
  return { relay, http, stun, watch }
}

/** Packets and other frames between two clients, a home that moves, pings in both directions. */
async function talk({ relay, watch }: Scene): Promise<void> {
  const a = await relay.login({ acceptedAtMs: relay.clock.now() - 3, info: { canAckPings: true } })
  const b = await relay.login({ idealNode: 'elsewhere' })
  for (const data of KINDS) {
    a.packet(b.publicKey, data)
    await b.messageOf('receivedPacket')
    a.packet(NodePrivateKey.generate().publicKey(), data)
  }
  await a.messageOf('peerGone')
  relay.clock.advance(7_000)
  const { payload } = await a.messageOf('ping')
  a.send({ type: 'pong', payload })
  a.send({ type: 'notePreferred', preferred: true })
  await a.sync()
  relay.connect()
  await watch.look()
  a.send({ type: 'notePreferred', preferred: false })
  await a.sync()
  a.close()
  await b.messageOf('peerGone')
  b.sendBytes(Uint8Array.of(0x12, 0, 0, 0, 1, 0))
  await b.closed()
}

/** A stalled reader: its queues overflow, packets age, and it is finally closed. */
async function stall({ relay, watch }: Scene): Promise<void> {
  const [sender, reader] = [await relay.login(), await relay.login()]
  const sendBoth = async () => {
    for (const data of KINDS) sender.packet(reader.publicKey, data)
    await sender.sync()
  }
  reader.conn.pause()
  await sendBoth()
  for (let n = 0; n < 33; n++) await sendBoth()
  relay.clock.advance(500)
  await watch.look()
  reader.conn.resume()
  await reader.sync()
  await watch.look()
  reader.conn.pause()
  await sendBoth()
  await sendBoth()
  relay.clock.advance(2_000)
  await until(() => reader.isClosed, 'the stalled reader is closed')
}

/** Two connections of one key. */
async function duplicate({ relay, watch }: Scene): Promise<void> {
  const privateKey = NodePrivateKey.generate()
  const [first, second] = [await relay.login({ privateKey }), await relay.login({ privateKey })]
  await watch.look()
  first.close()
  second.close()
}

/** A mesh peer that watches, forwards and receives. */
async function mesh({ relay, watch }: Scene): Promise<void> {
  const meshPeer = await relay.login({ info: { meshKey: MESH_KEY } })
  meshPeer.send({ type: 'watchConns' })
  await meshPeer.messageOf('peerPresent')
  await watch.look()
  const client: RawClient = await relay.login()
  const source = NodePrivateKey.generate().publicKey()
  for (const data of KINDS) {
    for (const destination of [client.publicKey, source]) {
      meshPeer.send({ type: 'forwardPacket', source, destination, data })
    }
  }
  await meshPeer.sync()
  const links = [0, 1, 2].map(() => new TestLink(relay.core))
  const [one, other, third] = links.map(({ routes }) => routes) as [LinkRoutes, LinkRoutes, LinkRoutes]
  for (const routes of [one, other]) routes.announce(source)
  client.packet(source, OTHER)
  await client.sync()
  await watch.look()
  for (const routes of [one, third, other]) routes.withdraw(source)
}

/** A rate limit per client, and one for all clients. */
async function limit({ relay, watch }: Scene): Promise<void> {
  relay.core.rateLimit = { bytesPerSecond: 1_000, burstBytes: 100_000 }
  const client = await relay.login()
  for (let n = 0; n < 2; n++) client.packet(client.publicKey, new Uint8Array(65_536))
  await until(() => relay.core.counters.rateLimitWaits > 0, 'the client is throttled')
  await watch.look()
  relay.core.rateLimit = undefined
  relay.core.totalRate = 1_000
  for (let n = 0; n < 3; n++) client.packet(client.publicKey, new Uint8Array(1_000))
  await until(() => relay.core.counters.totalRateWaits > 0, 'the client is throttled by its share')
  await watch.look()
  relay.clock.advance(1_100)
  await until(() => relay.core.counters.totalRateWaitMs > 0, 'its share has come')
  relay.core.totalRate = 0
}

/** DERP over WebSocket, a request over TLS, an invalid handshake, and a refused connection. */
async function carry({ relay, http, watch }: Scene): Promise<void> {
  const shared = { routes: createRoutes({}, derpEndpoint(relay.core, http)), acceptTimeoutMs: 10_000 }
  const metaCertificate = await createMetaCertificate(relay.core.publicKey)
  const tls = new RelayTls({
    hostname: '127.0.0.1',
    certificate: { certificate: TLS_CERT, key: TLS_KEY },
    metaCertificate,
  })
  const limits = new AcceptLimits({ maxConnections: 2 }, relay.clock, silentLog)
  const plain = createHttpListener(shared)
  const secure = createHttpsListener({ ...shared, tls, counters: http, limits })
  try {
    const [{ port }, { port: tlsPort }] = [await plain.listen(0, '127.0.0.1'), await secure.listen(0, '127.0.0.1')]
    const webSocket = new WebSocket(`ws://127.0.0.1:${port}/derp`, 'derp')
    await until(() => webSocket.readyState === WebSocket.OPEN, 'the WebSocket is open')
    const overTls = tlsConnect({ port: tlsPort, host: '127.0.0.1', ca: TLS_CERT })
    overTls.write('GET /derp HTTP/1.1\r\nHost: relay\r\nConnection: Upgrade\r\nUpgrade: DERP\r\n\r\n')
    connect(tlsPort, '127.0.0.1')
      .on('error', () => {})
      .end('this is no handshake')
    await until(() => http.tlsRequests['1.3'] === 1 && http.tlsHandshakeFailures.not_tls === 1, 'TLS was spoken')
    connect(tlsPort, '127.0.0.1').on('error', () => {})
    connect(tlsPort, '127.0.0.1').on('error', () => {})
    await until(() => http.tlsRejected > 0, 'a connection was refused')
    await watch.look()
    webSocket.close()
    overTls.destroy()
    await until(() => http.tlsActive['1.3'] === 0, 'the TLS connection is closed')
  } finally {
    await Promise.all([plain.close(), secure.close()])
  }
}

/** Queries for names that are published, unpublished, without addresses, not rolled out and unknown. */
async function bootstrap({ relay, http }: Scene): Promise<void> {
  const resolver = {
    addresses: async (name: string) => (name === 'empty.example' ? [] : ['192.0.2.1']),
    texts: async () => ['0'],
  }
  const { clock } = relay
  const published = new BootstrapNames('a.example,empty.example', { resolver, clock })
  const unpublished = new BootstrapNames('hidden.example,later.example/share.example', { resolver, clock })
  for (const names of [published, unpublished]) names.start()
  await until(() => published.known !== undefined && unpublished.known !== undefined, 'the names are resolved')
  const routes = createRoutes({ bootstrapDns: bootstrapDnsPage({ published, unpublished }, http.bootstrapDns) })
  const listener = createHttpListener({ routes, acceptTimeoutMs: 10_000 })
  const { port } = await listener.listen(0, '127.0.0.1')
  for (const name of ['a.example', 'empty.example', 'hidden.example', 'later.example', 'unknown.example']) {
    await fetch(`http://127.0.0.1:${port}/bootstrap-dns?q=${name}`)
  }
  for (const names of [published, unpublished]) names.stop()
  await listener.close()
}

/** STUN requests of both families, and all their failures. */
function stun({ stun: responder }: Scene): void {
  const request = encodeBindingRequest(new Uint8Array(12))
  const sender = (error: Error | null) => ({
    send: (_message: Uint8Array, _port: number, _address: string, done: (error: Error | null) => void) => done(error),
    getSendQueueSize: () => 0,
  })
  responder.receive(request, { address: '192.0.2.1', port: 1, family: 'IPv4' }, sender(null))
  responder.receive(request, { address: '2001:db8::1', port: 1, family: 'IPv6' }, sender(new Error('no route')))
  responder.receive(OTHER, { address: '192.0.2.1', port: 1, family: 'IPv4' }, sender(null))
  responder.readFailed(new Error('no more memory'))
}

test('every metric moves, except those listed with a reason (P-102, P-164, P-183, P-194, P-195, P-196)', async () => {
  const scene = createScene()
  const { relay, watch } = scene
  const loop = new EventLoopDelay(relay.core.counters.eventLoopDelayMs, relay.clock)
  await watch.look()
  loop.start()
  await talk(scene)
  await stall(scene)
  await duplicate(scene)
  await mesh(scene)
  await limit(scene)
  await carry(scene)
  await bootstrap(scene)
  stun(scene)
  relay.clock.advance(DELAY_INTERVAL_MS)
  loop.stop()
  await watch.look()
  // Of no size that the platform frees meanwhile, such as the 64 MiB of a thread.
  const [memory, file] = [Buffer.alloc(77 << 20, 1), openSync('/dev/null', 'r')]
  // Uptime is shown in whole seconds, and the rest may take less than one.
  const firstUptime = watch.first('uptime_sec')
  await until(() => Math.floor(process.uptime()) > firstUptime, 'the uptime has advanced')
  await watch.look()
  closeSync(file)
  expect(memory).toHaveLength(77 << 20)

  const listed = Object.keys(neverMoves)
  const isListedAs = (entry: string, sample: string) => {
    // Our sum over the kinds only moves if one of its parts does.
    const name = sample.replace(/^derphttp_packets_dropped/, 'derp_packets_dropped')
    return entry.includes('{') ? name.startsWith(entry.slice(0, -1)) : name.replace(/\{.*/, '') === entry
  }
  const unmoved = watch.unmoved()
  expect(unmoved.filter(sample => !listed.some(entry => isListedAs(entry, sample)))).toEqual([])
  expect(listed.filter(entry => !unmoved.some(sample => isListedAs(entry, sample)))).toEqual([])
})
