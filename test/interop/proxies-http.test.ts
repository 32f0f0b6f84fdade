/** TLS-terminating HTTP proxies in front of our relay, run with the files of `deploy/proxies`. */

import { execFile } from 'node:child_process'
import { connect } from 'node:tls'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Client, NodePrivateKey } from '../../src/entries/derphttp.ts'
import type { HttpRequest } from '../../src/listen/http-service.ts'
import type { AdmissionRequest } from '../../src/server/ports.ts'
import { NodeConn } from '../../src/transport/node-conn.ts'
import { goTools, hasGo } from '../support/go-tools.ts'
import { ListeningRelay } from '../support/listening-relay.ts'
import { hasProxy, PROXY_HOSTNAME, ProxyCa, type ProxyFile, type RunningProxy, startProxy } from '../support/proxies.ts'
import { RawClient } from '../support/raw-client.ts'
import { exchange, type RawResponse, rawRequest } from '../support/raw-http.ts'
import { nextMessage } from '../support/relay.ts'
import { StockClients } from '../support/stock-client.ts'
import { MessageClient } from '../support/web-socket.ts'

const run = promisify(execFile)

const hasNginx = hasProxy('nginx')
const FILES: readonly (readonly [ProxyFile, boolean])[] = [
  ['nginx.conf', hasNginx],
  ['haproxy.cfg', hasProxy('haproxy')],
  ['Caddyfile', hasProxy('caddy')],
]

let ca: ProxyCa
beforeAll(async () => {
  ca = await ProxyCa.create()
})
afterAll(() => ca[Symbol.dispose]())

function behind(file: ProxyFile): void {
  let relay: ListeningRelay
  let proxy: RunningProxy
  let url: string
  const asked: AdmissionRequest[] = []
  const upgrades: HttpRequest[] = []

  beforeAll(async () => {
    relay = await ListeningRelay.start({
      trustedProxies: ['127.0.0.1'],
      admission: {
        admit: async request => {
          asked.push(request)
          return { admit: true }
        },
      },
      onUpgrade: request => upgrades.push(request),
    })
    proxy = await startProxy(file, { relayPort: relay.port, certificate: ca.certificate })
    url = `https://${PROXY_HOSTNAME}:${proxy.port}/derp`
  })
  afterAll(async () => {
    await proxy?.[Symbol.asyncDispose]()
    await relay[Symbol.asyncDispose]()
  })

  /** The response to a request from `localAddress`. */
  async function ask(localAddress: string, lines: readonly string[]): Promise<RawResponse & { conn: NodeConn }> {
    const options = { port: proxy.port, host: '127.0.0.1', localAddress, servername: PROXY_HOSTNAME }
    const socket = connect({ ...options, ca: ca.authority, ALPNProtocols: ['http/1.1'] })
    const head = `${[...lines, `Host: ${PROXY_HOSTNAME}:${proxy.port}`].join('\r\n')}\r\n\r\n`
    const response = await exchange(socket, head)
    return { ...response, conn: new NodeConn(socket, response.body) }
  }

  test('stock clients move 2 MB both ways intact, after an upgrade without fast start (P-120, P-122)', async () => {
    upgrades.length = 0
    const { transfer } = await goTools()
    const { stdout } = await run(transfer, ['-url', url, '-ca', ca.file, '-bytes', '2000000'])
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, exactSizes: [0, 1, 31, 32, 1000, 1400, 65535, 65536] })
    expect(
      upgrades.map(({ headers }) => [headers['upgrade']?.[0]?.toLowerCase(), headers['derp-fast-start']?.[0]]),
    ).toEqual([
      ['derp', undefined],
      ['derp', undefined],
    ])
  })

  test('a stock client, ours and a WebSocket client reach each other (P-050, P-120, P-150)', async () => {
    const stock = await StockClients.start({ SSL_CERT_FILE: ca.file })
    await stock.login('stock', { url })
    await using ours = new Client(NodePrivateKey.generate(), url, { tlsConfig: { ca: ca.authority } })
    await nextMessage(ours, 'serverInfo')

    await stock.ask('send', 'stock', { to: `${ours.selfPublicKey()}`, dataBase64: 'aGVsbG8=' })
    const { source, data } = await nextMessage(ours, 'receivedPacket')
    expect(Buffer.from(data).toString()).toBe('hello')
    await ours.send(source, Buffer.from('back'))
    expect(await stock.event('stock', line => line.type === 'receivedPacket')).toMatchObject({
      source: `${ours.selfPublicKey()}`,
      dataBase64: 'YmFjaw==',
    })
    const webSocket = await new MessageClient(url.replace('https', 'wss'), { ca: ca.authority }).opened()
    await ours.send(await webSocket.login(), Buffer.from('to the web'))
    await expect.poll(() => webSocket.bytes.toString('latin1')).toContain('to the web')
    webSocket.socket.close()
    await stock.stop()
  })

  test('the relay sees a client’s real address, not one that it claims (P-125)', async () => {
    asked.length = 0
    const forged = 'X-Forwarded-For: 198.51.100.9'
    const { status, conn } = await ask('127.0.0.5', [
      'GET /derp HTTP/1.1',
      'Connection: Upgrade',
      'Upgrade: DERP',
      forged,
    ])
    expect(status).toBe(101)
    const raw = await RawClient.login(conn)
    const options = { ca: ca.authority, localAddress: '127.0.0.6', family: 4 }
    const webSocket = await new MessageClient(url.replace('https', 'wss'), options).opened()
    await webSocket.login()
    expect(asked.map(({ remote }) => remote?.address)).toEqual(['127.0.0.5', '127.0.0.6'])
    raw.close()
    webSocket.socket.close()
  })

  test('latency probe and captive portal check pass, and /derp without an upgrade names the cause (P-124, P-160, P-161)', async () => {
    const probe = await ask('127.0.0.1', ['GET /derp/probe HTTP/1.1'])
    expect([probe.status, probe.headers.get('access-control-allow-origin')]).toEqual([200, '*'])
    const portal = await ask('127.0.0.1', ['GET /generate_204 HTTP/1.1', 'X-Tailscale-Challenge: c1'])
    expect([portal.status, portal.headers.get('x-tailscale-response')]).toEqual([204, 'response c1'])
    const plain = await ask('127.0.0.1', ['GET /derp HTTP/1.1'])
    expect(plain.status).toBe(426)
    expect(plain.body.toString()).toContain('A proxy forwarded this request without the header Upgrade')
    for (const { conn } of [probe, portal, plain]) conn.destroy()
  })

  test('port 80 answers the captive portal check and sends all else to https (P-161)', async () => {
    const ask80 = (path: string) =>
      rawRequest(
        proxy.plainPort,
        `GET ${path} HTTP/1.1\r\nHost: ${PROXY_HOSTNAME}:${proxy.plainPort}\r\nX-Tailscale-Challenge: c1\r\n\r\n`,
      )
    const portal = await ask80('/generate_204')
    expect([portal.status, portal.headers.get('x-tailscale-response')]).toEqual([204, 'response c1'])
    const other = await ask80('/derp/probe?a=b')
    expect([other.status, other.headers.get('location')]).toEqual([
      302,
      expect.stringMatching(/^https:\/\/localhost.*\/derp\/probe\?a=b$/),
    ])
  })
}

for (const [file, isThere] of FILES) {
  describe.skipIf(!hasGo || !isThere)(`behind deploy/proxies/${file}`, () => behind(file))
}

describe.skipIf(!hasNginx)('behind nginx without some lines of deploy/proxies/nginx.conf', () => {
  test.for([
    [['proxy_set_header Upgrade $http_upgrade;', 'proxy_set_header Connection $relay_connection;'], 'Upgrade'],
    [['proxy_set_header Connection $relay_connection;'], 'Connection: Upgrade'],
  ] as const)('without %j our client is told what is missing (P-124)', async ([lines, lost]) => {
    await using relay = await ListeningRelay.start()
    const replace = Object.fromEntries(lines.map(line => [line, '']))
    await using proxy = await startProxy('nginx.conf', { relayPort: relay.port, certificate: ca.certificate, replace })
    const url = `https://${PROXY_HOSTNAME}:${proxy.port}/derp`
    await using client = new Client(NodePrivateKey.generate(), url, { tlsConfig: { ca: ca.authority } })
    await expect(client.connect()).rejects.toThrow(`without the header ${lost}`)
  })
})
