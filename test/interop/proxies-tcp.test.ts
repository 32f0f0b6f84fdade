/** TCP proxies that pass TLS through with a PROXY header, run with the files of `deploy/proxies`. */

import { once } from 'node:events'
import { connect, type TLSSocket } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Client, NodePrivateKey } from '../../src/entries/derphttp.ts'
import { NodeConn } from '../../src/transport/node-conn.ts'
import { hasGo } from '../support/go-tools.ts'
import { ListeningRelay } from '../support/listening-relay.ts'
import { hasProxy, PROXY_HOSTNAME, ProxyCa, type ProxyFile, type RunningProxy, startProxy } from '../support/proxies.ts'
import { RawClient } from '../support/raw-client.ts'
import { exchange, request } from '../support/raw-http.ts'
import { nextMessage } from '../support/relay.ts'
import { type ListeningServer, startTcpServer } from '../support/socket-server.ts'
import { StockClients } from '../support/stock-client.ts'

const hasHaproxy = hasProxy('haproxy')
const FILES: readonly (readonly [name: string, isThere: boolean, file: ProxyFile, replace: Record<string, string>])[] =
  [
    ['nginx-stream.conf', hasProxy('nginx stream module'), 'nginx-stream.conf', {}],
    ['haproxy-tcp.cfg', hasHaproxy, 'haproxy-tcp.cfg', {}],
    ['haproxy-tcp.cfg with send-proxy', hasHaproxy, 'haproxy-tcp.cfg', { 'send-proxy-v2 check': 'send-proxy check' }],
  ]

let ca: ProxyCa
beforeAll(async () => {
  ca = await ProxyCa.create()
})
afterAll(() => ca[Symbol.dispose]())

function behind(file: ProxyFile, replace: Record<string, string>): void {
  let relay: ListeningRelay
  let beside: ListeningRelay
  let website: ListeningServer
  let proxy: RunningProxy
  let url: string
  const fastStarts: (string | string[] | undefined)[] = []
  /** First bytes received by the web site. */
  const greetings: Buffer[] = []

  beforeAll(async () => {
    relay = await ListeningRelay.start({
      tls: { hostname: PROXY_HOSTNAME, certificate: ca.certificate },
      trustedProxies: ['127.0.0.1'],
      sendProxyHeaders: true,
      onUpgrade: ({ headers }) => fastStarts.push(headers['derp-fast-start']?.[0]),
    })
    beside = await ListeningRelay.start({ trustedProxies: ['127.0.0.1'], sendProxyHeaders: true })
    website = await startTcpServer(socket => socket.once('data', (data: Buffer) => greetings.push(data)))
    proxy = await startProxy(file, {
      relayPort: relay.port,
      relayHttpPort: beside.port,
      websitePort: website.port,
      certificate: ca.certificate,
      replace,
    })
    url = `https://${PROXY_HOSTNAME}:${proxy.port}/derp`
  })
  afterAll(async () => {
    await proxy?.[Symbol.asyncDispose]()
    await website[Symbol.asyncDispose]()
    await beside[Symbol.asyncDispose]()
    await relay[Symbol.asyncDispose]()
  })

  async function dial(localAddress: string): Promise<TLSSocket> {
    const options = { port: proxy.port, host: '127.0.0.1', localAddress, servername: PROXY_HOSTNAME }
    const socket = connect({ ...options, ca: ca.authority })
    await once(socket, 'secureConnect')
    return socket
  }

  test('a stock client and ours use fast start and reach each other (P-122, P-126, P-143)', async () => {
    const stock = await StockClients.start({ SSL_CERT_FILE: ca.file })
    await stock.login('stock', { url })
    await using ours = new Client(NodePrivateKey.generate(), url, { tlsConfig: { ca: ca.authority } })
    await nextMessage(ours, 'serverInfo')
    expect(fastStarts).toEqual(['1', '1'])

    await stock.ask('send', 'stock', { to: `${ours.selfPublicKey()}`, dataBase64: 'aGVsbG8=' })
    const { source } = await nextMessage(ours, 'receivedPacket')
    await ours.send(source, Buffer.from('back'))
    expect(await stock.event('stock', line => line.type === 'receivedPacket')).toMatchObject({
      dataBase64: 'YmFjaw==',
    })
    await stock.stop()
  })

  test('the relay sees a client’s address and port (P-126)', async () => {
    const socket = await dial('127.0.0.5')
    const { status, body } = await exchange(
      socket,
      `GET /derp HTTP/1.1\r\nHost: ${PROXY_HOSTNAME}\r\nConnection: Upgrade\r\nUpgrade: DERP\r\n\r\n`,
    )
    expect(status).toBe(101)
    const client = await RawClient.login(new NodeConn(socket, body))
    const remotes = [...relay.relay.core.sessions].map(({ remote }) => remote)
    expect(remotes).toContainEqual({ address: '127.0.0.5', port: socket.localPort })
    expect(relay.relay.http.proxyHeaders).toMatchObject({ missing: 0, malformed: 0 })
    client.close()
  })

  test('port 80 leads to the relay, with a PROXY header (P-126, P-161)', async () => {
    expect((await request(proxy.plainPort, 'GET /generate_204')).status).toBe(204)
    expect(beside.relay.http.proxyHeaders).toMatchObject({ missing: 0, malformed: 0 })
  })

  test('another server name gets the web site', async () => {
    const socket = connect({ port: proxy.port, host: '127.0.0.1', servername: 'www.test' }).on('error', () => {})
    await expect.poll(() => greetings.length).toBe(1)
    // A handshake, after a PROXY header if the proxy sends one to every server.
    expect(greetings[0]?.includes('www.test')).toBe(true)
    socket.destroy()
  })
}

for (const [name, isThere, file, replace] of FILES) {
  describe.skipIf(!hasGo || !isThere)(`behind deploy/proxies/${name}`, () => behind(file, replace))
}
