/** The browser entry with Node's WebSocket and WebCrypto, against our relay. */

import { afterAll, beforeAll, expect, test } from 'vitest'
import type { PageDocument } from '../../src/client/browser/page-monitor.ts'
import type { OpeningWebSocket } from '../../src/client/browser/websocket-transport.ts'
import {
  Client,
  type ClientOptions,
  createPageMonitor,
  DerpError,
  NodePrivateKey,
  NodePublicKey,
  parseDerpMap,
  RegionClient,
  ResilientClient,
  ResilientRegionClient,
  watchConnections,
} from '../../src/entries/browser.ts'
import { MeshKey } from '../../src/keys/mesh-key.ts'
import { NodePrivateKey as SyncPrivateKey } from '../../src/keys/node-key.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { ListeningRelay } from '../support/listening-relay.ts'
import { nextMessage } from '../support/relay.ts'
import { until } from '../support/settle.ts'
import { startTcpServer } from '../support/socket-server.ts'

const MESH_KEY = MeshKey.parse('ab'.repeat(32))
let relay: ListeningRelay
let url: string

beforeAll(async () => {
  relay = await ListeningRelay.start({ meshKey: MESH_KEY })
  url = `http://127.0.0.1:${relay.port}/derp`
})
afterAll(() => relay[Symbol.asyncDispose]())

const makeClient = async (options: ClientOptions = {}) => new Client(await NodePrivateKey.generate(), url, options)

/** A client admitted by the relay. */
async function readyClient(options: ClientOptions = {}) {
  const client = await makeClient(options)
  await nextMessage(client, 'serverInfo')
  return client
}

test('a WebCrypto private key equals that of Node, except that it is asynchronous (P-020, P-021)', async () => {
  const known = SyncPrivateKey.generate()
  const key = await NodePrivateKey.parse(known.exportText())
  expect(String(key.publicKey())).toBe(String(known.publicKey()))
  expect(key.equals(await NodePrivateKey.fromBytes(known.exportBytes()))).toBe(true)
  expect(key.exportText()).toBe(known.exportText())
  expect([String(key), JSON.stringify(key)]).toEqual(['privkey:[redacted]', '"privkey:[redacted]"'])
  await expect(NodePrivateKey.parse('privkey:12')).rejects.toMatchObject({ code: 'ERR_DERP_KEY_INVALID' })
  const zero = await NodePrivateKey.fromBytes(new Uint8Array(32))
  expect(() => zero.publicKey()).toThrow(DerpError)
})

test('two clients over WebSocket exchange packets of every size, in order (P-151, P-154)', async () => {
  await using a = await readyClient()
  await using b = await readyClient()
  const sizes = [0, 1, 1_000, 32_768, 65_536]
  const sending = Promise.all(sizes.map((size, i) => a.send(b.selfPublicKey(), new Uint8Array(size).fill(i + 1))))
  for (const [i, size] of sizes.entries()) {
    const { source, data } = await nextMessage(b, 'receivedPacket')
    expect(source.equals(a.selfPublicKey())).toBe(true)
    expect(data).toEqual(new Uint8Array(size).fill(i + 1))
  }
  await sending
  expect(a.serverPublicKey()?.toHex()).toBe(relay.relay.core.publicKey.toHex())
  expect(a.connectedState()).toMatchObject({ connected: true, localAddr: undefined })
})

test('a client over WebSocket restores its settings on a new connection (P-210)', async () => {
  await using client = await readyClient()
  await client.notePreferred(true)
  const session = () => [...relay.relay.core.sessions].find(({ key }) => key.equals(client.selfPublicKey()))
  await until(() => session()?.isPreferred === true, 'the relay is the home')
  session()?.close()
  await expect(client.recv()).rejects.toMatchObject({ code: 'ERR_DERP_CONN_CLOSED' })
  await nextMessage(client, 'serverInfo')
  await until(() => session()?.isPreferred === true, 'the relay is the home again')
})

test('a closed port, and one without WebSocket, fail the dial with the available details (P-154)', async () => {
  await using plain = await startTcpServer(socket => socket.end('HTTP/1.1 200 OK\r\n\r\n'))
  for (const port of [1, plain.port]) {
    const client = new Client(await NodePrivateKey.generate(), `http://127.0.0.1:${port}/derp`)
    await expect(client.connect()).rejects.toMatchObject({
      code: 'ERR_DERP_DIAL_FAILED',
      message: expect.stringContaining(`open WebSocket to http://127.0.0.1:${port}/derp: closed with code 1006`),
    })
  }
})

test('an attempt over WebSocket ends with its signal and its timeout (P-202)', async () => {
  await using silent = await startTcpServer(socket => void socket.resume())
  const clock = new FakeClock()
  const client = new Client(await NodePrivateKey.generate(), `http://127.0.0.1:${silent.port}/derp`, { clock })
  const controller = new AbortController()
  const aborted = client.connect(controller.signal)
  controller.abort()
  await expect(aborted).rejects.toMatchObject({ code: 'ERR_DERP_ABORTED' })
  const late = client.connect()
  late.catch(() => {})
  await until(() => clock.pendingTimers > 0, 'the attempt has started')
  clock.advance(10_000)
  await expect(late).rejects.toMatchObject({ code: 'ERR_DERP_DIAL_TIMEOUT' })
  await until(() => silent.sockets.size === 0, 'both sockets are closed')
})

test('further subprotocols are offered after derp, and the URL’s query is sent (P-154)', async () => {
  const opened: [string, string[]][] = []
  const createWebSocket = (target: string, protocols: string[]): OpeningWebSocket => {
    opened.push([target, protocols])
    return new WebSocket(target, protocols)
  }
  await using client = new Client(await NodePrivateKey.generate(), `${url}?token=abc`, {
    subProtocols: ['bearer.abc'],
    createWebSocket,
  })
  await client.connect()
  expect(opened).toEqual([[`ws://127.0.0.1:${relay.port}/derp?token=abc`, ['derp', 'bearer.abc']]])
})

test('a region client tries the next node, and refuses a pinned certificate (P-144, P-154)', async () => {
  const node = (Name: string, DERPPort: number, CertName?: string) => ({
    Name,
    HostName: '127.0.0.1',
    DERPPort,
    CertName,
  })
  const nodes = [node('a', 1), node('b', relay.port, `sha256-raw:${'0'.repeat(64)}`), node('c', relay.port)]
  const map = parseDerpMap({ Regions: { 900: { Nodes: nodes } } })
  const getRegion = () => map.Regions?.[900]
  await using client = new RegionClient(await NodePrivateKey.generate(), getRegion, { useHttp: true })
  await client.connect()
  expect(client.connectedNode()?.Name).toBe('c')
  const only = { ...map.Regions?.[900], Nodes: map.Regions?.[900]?.Nodes.slice(1, 2) } as ReturnType<typeof getRegion>
  await using pinned = new RegionClient(await NodePrivateKey.generate(), () => only, { useHttp: true })
  await expect(pinned.connect()).rejects.toMatchObject({ code: 'ERR_DERP_NODE_INVALID' })
  await using unfit = new Client(await NodePrivateKey.generate(), getRegion)
  await expect(unfit.connect()).rejects.toThrow('dial a region: use RegionClient')
})

test('resilient clients run over WebSocket, by URL and by region', async () => {
  const key = await NodePrivateKey.generate()
  await using byUrl = new ResilientClient({
    targets: ['http://127.0.0.1:1/derp', url],
    createClient: at => new Client(key, at),
  })
  await byUrl.connect()
  const map = parseDerpMap({ Regions: { 900: { Nodes: [{ HostName: '127.0.0.1', DERPPort: relay.port }] } } })
  const other = await NodePrivateKey.generate()
  await using byRegion = new ResilientRegionClient({
    map,
    regionId: 900,
    createClient: getRegion => new RegionClient(other, getRegion, { useHttp: true }),
  })
  await byRegion.connect()
  await byUrl.send(other.publicKey(), Uint8Array.of(7))
  expect((await nextMessage(byRegion, 'receivedPacket')).data).toEqual(Uint8Array.of(7))
})

test('watchConnections follows a relay over WebSocket (P-215)', async () => {
  await using watcher = await makeClient({ meshKey: MESH_KEY })
  await using peer = await readyClient()
  const seen: string[] = []
  const stop = new AbortController()
  const over = watchConnections(watcher, {
    add: ({ peer: key }) => seen.push(key.toHex()),
    remove: () => {},
    signal: stop.signal,
  })
  await until(() => seen.includes(peer.selfPublicKey().toHex()), 'the peer is seen')
  stop.abort()
  await over
})

test('a page monitor reports when a page is online, resumed, visible or restored; a waiting client then retries immediately', async () => {
  const scope = new EventTarget()
  const document = Object.assign(new EventTarget(), { visibilityState: 'hidden' }) satisfies PageDocument
  const netMon = createPageMonitor({ scope, document })
  let changes = 0
  const stop = netMon.subscribe(() => changes++)
  scope.dispatchEvent(new Event('online'))
  scope.dispatchEvent(new Event('pageshow'))
  document.dispatchEvent(new Event('resume'))
  document.dispatchEvent(new Event('visibilitychange'))
  expect(changes).toBe(3)
  document.visibilityState = 'visible'
  document.dispatchEvent(new Event('visibilitychange'))
  expect(changes).toBe(4)
  stop()
  scope.dispatchEvent(new Event('online'))
  expect(changes).toBe(4)
  expect(createPageMonitor().subscribe(() => {})).toBeTypeOf('function')
})

test('keys of both entries are identical on the wire', async () => {
  const key = await NodePrivateKey.generate()
  expect(NodePublicKey.parse(String(key.publicKey())).equals(key.publicKey())).toBe(true)
})
