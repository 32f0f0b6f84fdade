/** Indirect connections: through HTTP proxies and custom dialers. */

import { duplexPair } from 'node:stream'
import { beforeAll, expect, test } from 'vitest'
import type { DERPNode } from '../../src/derpmap/types.ts'
import { Client, type ClientOptions } from '../../src/entries/client.ts'
import { NodePrivateKey } from '../../src/keys/node-key.ts'
import { encodeGreeting } from '../../src/protocol/login.ts'
import type { CertificatePair } from '../../src/tls/x509.ts'
import { startConnectProxy } from '../support/connect-proxy.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { ListeningRelay } from '../support/listening-relay.ts'
import { nextMessage } from '../support/relay.ts'
import { settle, until } from '../support/settle.ts'
import { createHttpRelay, startHttpRelay } from '../support/socket-server.ts'
import { TestCa } from '../support/test-ca.ts'

let ca: TestCa
let certificate: CertificatePair

beforeAll(async () => {
  ca = await TestCa.create()
  certificate = await ca.issue({ dns: ['relay.test'], ips: ['127.0.0.1'] })
})

const startRelay = () => ListeningRelay.start({ tls: { hostname: 'relay.test', certificate } })

/** A client of a region whose only node is reachable only through a proxy. */
function regionClient(port: number, options: ClientOptions, fields: Partial<DERPNode> = {}): Client {
  const node = { Name: '1a', RegionID: 1, HostName: 'relay.test', DERPPort: port, ...fields }
  const region = { RegionID: 1, RegionCode: 'own', RegionName: '', Nodes: [node] }
  return Client.forRegion(NodePrivateKey.generate(), () => region, {
    tlsConfig: { ca: ca.certificate },
    dnsCache: { lookup: async host => Promise.reject(new Error(`no such host ${host}`)) },
    ...options,
  })
}

function urlClient(url: string, options: ClientOptions): Client {
  return new Client(NodePrivateKey.generate(), url, { tlsConfig: { ca: ca.certificate }, ...options })
}

test('a node of a region is reached through the proxy, by its name and port (P-224)', async () => {
  await using relay = await startRelay()
  await using proxy = await startConnectProxy()
  const proxyEnv = { HTTPS_PROXY: `http://127.0.0.1:${proxy.port}` }
  await using client = regionClient(relay.port, { proxyEnv }, { IPv4: '192.0.2.1', IPv6: 'none' })
  await nextMessage(client, 'serverInfo')
  expect(proxy.targets).toEqual([`relay.test:${relay.port}`])
  expect(client.tlsConnectionState()?.serverName).toBe('relay.test')
})

test('relays by URL, with and without TLS, and plain TLS connections go through the proxy (P-224, P-226)', async () => {
  await using relay = await startRelay()
  await using plain = await startHttpRelay()
  await using proxy = await startConnectProxy()
  const address = `127.0.0.1:${proxy.port}`
  const options = { proxyEnv: { https_proxy: address, http_proxy: address } }
  await using secure = urlClient(`https://relay.test:${relay.port}/derp`, options)
  await nextMessage(secure, 'serverInfo')
  await using open = urlClient(`http://relay.test:${plain.port}/derp`, options)
  await nextMessage(open, 'serverInfo')
  const node = { Name: '1a', RegionID: 1, HostName: 'relay.test', DERPPort: relay.port }
  const bare = await open.dialRegionTls({ RegionID: 1, RegionCode: '', RegionName: '', Nodes: [node] })
  bare.close()
  expect(proxy.targets).toEqual([`relay.test:${relay.port}`, `relay.test:${plain.port}`, `relay.test:${relay.port}`])
})

test('a proxy over TLS gets credentials, and is verified by its own settings (P-224)', async () => {
  await using relay = await startRelay()
  await using proxy = await startConnectProxy({ certificate, credentials: 'me:a b' })
  const proxyEnv = { HTTPS_PROXY: `https://me:a%20b@127.0.0.1:${proxy.port}` }
  await using client = regionClient(relay.port, { proxyEnv, proxyTlsConfig: { ca: ca.certificate } })
  await nextMessage(client, 'serverInfo')
  await using untrusting = regionClient(relay.port, { proxyEnv })
  await expect(untrusting.connect()).rejects.toMatchObject({
    code: 'ERR_DERP_PROXY_FAILED',
    message: expect.stringMatching(/^connect to relay.test:\d+ by proxy https:\/\/127.0.0.1:\d+\/: secure connection/),
    cause: { code: 'ERR_DERP_TLS_FAILED', reason: 'untrusted' },
  })
})

test('a wrong proxy password, or a relay that the proxy cannot reach, is reported by status (P-224)', async () => {
  await using proxy = await startConnectProxy({ credentials: 'me:secret' })
  await using wrong = regionClient(1, { proxyEnv: { HTTPS_PROXY: `http://me:guess@127.0.0.1:${proxy.port}` } })
  await expect(wrong.connect()).rejects.toMatchObject({
    code: 'ERR_DERP_PROXY_REFUSED',
    status: 407,
    message: `connect to relay.test:1 by proxy http://127.0.0.1:${proxy.port}/: refused with status 407: other credentials required`,
  })
  await using right = regionClient(1, { proxyEnv: { HTTPS_PROXY: `http://me:secret@127.0.0.1:${proxy.port}` } })
  await expect(right.connect()).rejects.toMatchObject({ code: 'ERR_DERP_PROXY_REFUSED', status: 502 })
  await until(() => proxy.sockets.size === 0, 'all connections are closed')
})

test('a proxy that is unreachable, closes, or sends an endless head is reported (P-224)', async () => {
  const gone = await startConnectProxy()
  await gone[Symbol.asyncDispose]()
  await using closing = await startConnectProxy({ answer: socket => socket.end() })
  await using flooding = await startConnectProxy({
    answer: socket => void socket.write(`HTTP/1.1 200 OK\r\n${'X: y\r\n'.repeat(10_000)}`),
  })
  for (const [port, reason] of [
    [gone.port, /connect ECONNREFUSED/],
    [closing.port, /connection closed before its response$/],
    [flooding.port, /head is longer than 16384 bytes$/],
  ] as const) {
    await using client = regionClient(1, { proxyEnv: { HTTPS_PROXY: `http://127.0.0.1:${port}` } })
    await expect(client.connect()).rejects.toMatchObject({
      code: 'ERR_DERP_PROXY_FAILED',
      message: expect.stringMatching(reason),
    })
  }
})

test('a proxy that never responds is abandoned after 10 s (P-202, P-224)', async () => {
  await using proxy = await startConnectProxy({ answer: () => {} })
  const clock = new FakeClock()
  await using client = regionClient(1, { clock, proxyEnv: { HTTPS_PROXY: `http://127.0.0.1:${proxy.port}` } })
  const connecting = client.connect()
  connecting.catch(() => {})
  await until(() => proxy.targets.length === 1, 'the proxy is asked')
  clock.advance(10_000)
  await expect(connecting).rejects.toMatchObject({ code: 'ERR_DERP_DIAL_TIMEOUT' })
  await until(() => proxy.sockets.size === 0, 'its connection is closed')
  expect(clock.pendingTimers).toBe(0)
})

test('bytes after the proxy’s response belong to the tunnel (P-224)', async () => {
  const serverKey = NodePrivateKey.generate().publicKey()
  const upgraded = 'HTTP/1.1 101 Switching Protocols\r\n\r\n'
  const early = Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\n\r\n${upgraded}`), encodeGreeting(serverKey)])
  await using proxy = await startConnectProxy({ answer: socket => void socket.write(early) })
  await using client = urlClient('http://relay.test/derp', { proxyEnv: { HTTP_PROXY: `127.0.0.1:${proxy.port}` } })
  await client.connect()
  expect(client.serverPublicKey()?.equals(serverKey)).toBe(true)
})

test('NO_PROXY and loopback are dialled directly, and without proxyEnv the environment is ignored (P-224)', async () => {
  await using relay = await startRelay()
  await using proxy = await startConnectProxy()
  const HTTPS_PROXY = `http://127.0.0.1:${proxy.port}`
  const dnsCache = { lookup: async () => ['127.0.0.1'] }
  await using excepted = regionClient(relay.port, { dnsCache, proxyEnv: { HTTPS_PROXY, NO_PROXY: '.test' } })
  await excepted.connect()
  await using local = urlClient(`https://127.0.0.1:${relay.port}/derp`, {
    proxyEnv: { HTTPS_PROXY },
    tlsConfig: { ca: ca.certificate, servername: 'relay.test' },
  })
  await local.connect()
  const before = process.env['HTTPS_PROXY']
  process.env['HTTPS_PROXY'] = HTTPS_PROXY
  try {
    await using unaware = regionClient(relay.port, { dnsCache })
    await unaware.connect()
  } finally {
    if (before === undefined) delete process.env['HTTPS_PROXY']
    else process.env['HTTPS_PROXY'] = before
  }
  expect(proxy.targets).toEqual([])
})

test('the client constructor rejects an unusable proxy (P-224)', () => {
  expect(() => regionClient(1, { proxyEnv: { HTTPS_PROXY: 'socks5://127.0.0.1:1080' } })).toThrow(
    expect.objectContaining({ code: 'ERR_DERP_CONFIG_INVALID' }),
  )
})

test.each(['http', 'https'] as const)('a URL dialer may return any duplex stream, for %s', async scheme => {
  const { server, core } = createHttpRelay(scheme)
  const asked: unknown[] = []
  await using client = urlClient(`${scheme}://relay.test/derp`, {
    tlsConfig: { rejectUnauthorized: false },
    // A dialer takes precedence over proxies.
    proxyEnv: { HTTP_PROXY: '127.0.0.1:1', HTTPS_PROXY: '127.0.0.1:1' },
  })
  client.setUrlDialer(async address => {
    asked.push(address)
    const [here, there] = duplexPair()
    server.emit('connection', there)
    return here
  })
  await nextMessage(client, 'serverInfo')
  expect(asked).toEqual([{ host: 'relay.test', port: scheme === 'http' ? 80 : 443 }])
  expect(client.localAddr()).toBeUndefined()
  expect(client.serverPublicKey()?.equals(core.publicKey)).toBe(true)
  core.close()
})

test('a URL dialer is not used for regions, and can be removed', async () => {
  await using relay = await startHttpRelay()
  const urlDialer = () => Promise.reject(new Error('must not be called'))
  const options = { urlDialer, useHttp: true }
  await using region = regionClient(relay.port, options, { HostName: '127.0.0.1' })
  await region.connect()
  await using url = urlClient(relay.url, options)
  await expect(url.connect()).rejects.toMatchObject({
    code: 'ERR_DERP_DIAL_FAILED',
    message: `dial ${relay.url}: must not be called`,
  })
  url.setUrlDialer(undefined)
  await url.connect()
})

test('a broken connection from a URL dialer is reported, and affects nothing else', async () => {
  const urlDialer = async () => duplexPair()[0].destroy(new Error('broken'))
  await using client = urlClient('http://relay.test/derp', { urlDialer })
  await expect(client.connect()).rejects.toMatchObject({ code: 'ERR_DERP_CONN_CLOSED' })
  // Its error comes later.
  await settle()
})

test('a connection from a URL dialer that arrives too late is destroyed', async () => {
  const late = Promise.withResolvers<ReturnType<typeof duplexPair>[0]>()
  await using client = urlClient('http://relay.test/derp', { urlDialer: () => late.promise })
  const controller = new AbortController()
  const connecting = client.connect(controller.signal)
  controller.abort()
  await expect(connecting).rejects.toMatchObject({ code: 'ERR_DERP_ABORTED' })
  const [here] = duplexPair()
  late.resolve(here)
  await until(() => here.destroyed, 'the late connection is closed')
})
