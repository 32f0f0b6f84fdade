/** The Node client over real sockets, against our relay. */

import { expect, test } from 'vitest'
import { Client, type ClientOptions } from '../../src/entries/client.ts'
import { NodePrivateKey } from '../../src/keys/node-key.ts'
import { encodeUtf8 } from '../../src/lib/bytes.ts'
import { encodeGreeting } from '../../src/protocol/login.ts'
import { NodeConn } from '../../src/transport/node-conn.ts'
import { ListeningRelay } from '../support/listening-relay.ts'
import { payload } from '../support/payload.ts'
import { nextMessage } from '../support/relay.ts'
import { ScriptedRelay } from '../support/scripted-relay.ts'
import { until, untilStalled } from '../support/settle.ts'
import { startHttpRelay, startTcpServer } from '../support/socket-server.ts'
import { TLS_CERT } from '../support/tls-fixture.ts'

const makeClient = (url: string, options?: ClientOptions): Client => new Client(NodePrivateKey.generate(), url, options)

test.each(['http', 'https'] as const)('two clients exchange packets over %s (P-120, P-121)', async scheme => {
  await using relay = await startHttpRelay(scheme)
  await using a = makeClient(relay.url, { tlsConfig: { ca: TLS_CERT } })
  await using b = makeClient(relay.url, { tlsConfig: { ca: TLS_CERT } })
  await nextMessage(b, 'serverInfo')
  const data = payload(65_536, 1)
  const received = (async () => {
    for (let i = 0; i < 20; i++) {
      const packet = await nextMessage(b, 'receivedPacket')
      expect([packet.source.equals(a.selfPublicKey()), Buffer.compare(packet.data, data)]).toEqual([true, 0])
    }
  })()
  for (let i = 0; i < 20; i++) await a.send(b.selfPublicKey(), data)
  await received
  expect(a.serverPublicKey()?.equals(relay.core.publicKey)).toBe(true)
  expect(a.localAddr()).toMatchObject({ address: '127.0.0.1' })
})

test('tlsConnectionState has version and cipher, over TLS only', async () => {
  await using relay = await startHttpRelay('https')
  await using byName = makeClient(`https://localhost:${relay.port}/derp`, { tlsConfig: { ca: TLS_CERT } })
  await byName.connect()
  expect(byName.tlsConnectionState()).toEqual({
    version: 'TLSv1.3',
    cipher: expect.stringMatching(/^TLS_/),
    serverName: 'localhost',
    protocol: undefined,
    isResumed: false,
    peerCertificates: [expect.objectContaining({ subject: 'CN=relay.test' })],
    pin: undefined,
  })
  await using byAddress = makeClient(relay.url, { tlsConfig: { ca: TLS_CERT } })
  await byAddress.connect()
  expect(byAddress.tlsConnectionState()?.serverName).toBeUndefined()
  await using plainRelay = await startHttpRelay()
  await using plain = makeClient(plainRelay.url)
  await plain.connect()
  expect(plain.tlsConnectionState()).toBeUndefined()
})

test('an untrusted certificate, or one for another host, fails the dial (P-144)', async () => {
  await using relay = await startHttpRelay('https')
  await using untrusting = makeClient(relay.url)
  await expect(untrusting.connect()).rejects.toMatchObject({
    code: 'ERR_DERP_TLS_FAILED',
    reason: 'untrusted',
    message: expect.stringMatching(
      /^secure connection to 127.0.0.1:\d+: the certificate is self-signed \(self.signed certificate.*\): pin it/,
    ),
    cause: { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
  })
  await using mistaken = makeClient(relay.url, { tlsConfig: { ca: TLS_CERT, servername: 'other.test' } })
  await expect(mistaken.connect()).rejects.toMatchObject({
    code: 'ERR_DERP_TLS_FAILED',
    reason: 'wrong-name',
    message: expect.stringMatching(
      /the certificate is for another name \(valid for DNS:localhost, DNS:relay.test.*, asked for other.test\): connect by a name/,
    ),
  })
  await until(() => relay.sockets.size === 0, 'all connections are closed')
})

test('http to an https port, and https to an http port, fail the dial', async () => {
  await using secure = await startHttpRelay('https')
  await using plain = await startHttpRelay('http')
  await using a = makeClient(secure.url.replace('https:', 'http:'))
  await expect(a.connect()).rejects.toMatchObject({ code: 'ERR_DERP_CONN_CLOSED' })
  await using b = makeClient(plain.url.replace('http:', 'https:'))
  await expect(b.connect()).rejects.toMatchObject({
    code: 'ERR_DERP_TLS_FAILED',
    reason: 'handshake',
    message: `secure connection to 127.0.0.1:${plain.port}: the port does not speak TLS (wrong version number): use http:// for a server without TLS, or the port that serves TLS`,
  })
})

test('a URL without /derp that meets a home page has that said in one line, without HTML (P-213)', async () => {
  await using relay = await ListeningRelay.start()
  await using client = makeClient(`http://127.0.0.1:${relay.port}/`)
  await expect(client.connect()).rejects.toMatchObject({
    code: 'ERR_DERP_UPGRADE_REFUSED',
    message:
      'upgrade connection to DERP: refused with status 200 and a web page: the path is /, that of a relay is usually /derp',
  })
})

test('a closed port fails the dial, and the next call finds a relay started meanwhile (P-205)', async () => {
  const gone = await startHttpRelay()
  await gone[Symbol.asyncDispose]()
  await using client = makeClient(gone.url)
  await expect(client.connect()).rejects.toMatchObject({
    code: 'ERR_DERP_DIAL_FAILED',
    message: `dial ${gone.url}: nothing listens there (connect ECONNREFUSED 127.0.0.1:${gone.port}): check host and port, and that the server is running`,
    cause: { code: 'ECONNREFUSED' },
  })
  await using relay = await startHttpRelay('http', gone.port)
  await client.connect()
  expect(client.serverPublicKey()?.equals(relay.core.publicKey)).toBe(true)
})

test('a relay that is killed and restarted with another key is reported once and then used (P-205)', async () => {
  const first = await startHttpRelay()
  await using client = makeClient(first.url)
  await nextMessage(client, 'serverInfo')
  const received = client.recv()
  await first[Symbol.asyncDispose]()
  await expect(received).rejects.toMatchObject({ code: 'ERR_DERP_CONN_CLOSED' })
  await using second = await startHttpRelay('http', first.port)
  expect(await client.recvDetail()).toMatchObject({ message: { type: 'serverInfo' }, connectionGeneration: 2 })
  expect(client.serverPublicKey()?.equals(second.core.publicKey)).toBe(true)
})

test('the greeting may arrive with the response, or byte by byte (P-121)', async () => {
  const serverKey = NodePrivateKey.generate().publicKey()
  const answer = Buffer.concat([encodeUtf8('HTTP/1.1 101 Switching Protocols\r\n\r\n'), encodeGreeting(serverKey)])
  let requests = ''
  let isSlow = false
  await using server = await startTcpServer(socket => {
    socket.setNoDelay(true)
    const write = (byte: number) => new Promise<void>(resolve => socket.write(Uint8Array.of(byte), () => resolve()))
    const dribble = async () => {
      for (const byte of answer) await write(byte)
    }
    socket.once('data', chunk => {
      requests += chunk.toString('latin1')
      if (isSlow) void dribble()
      else socket.write(answer)
    })
  })
  const url = `http://127.0.0.1:${server.port}/derp?a=b`
  for (isSlow of [false, true]) {
    await using client = makeClient(url)
    await client.connect()
    expect(client.serverPublicKey()?.equals(serverKey)).toBe(true)
  }
  const request = `GET /derp?a=b HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nUser-Agent: derphttp\r\nConnection: Upgrade\r\nUpgrade: DERP\r\n\r\n`
  expect(requests).toBe(request.repeat(2))
})

test('close destroys the socket, as does aborting at any stage of the dial', async () => {
  await using server = await startTcpServer(socket => void socket.resume())
  for (const scheme of ['http', 'https']) {
    const client = makeClient(`${scheme}://127.0.0.1:${server.port}/derp`)
    const controller = new AbortController()
    const connecting = client.connect(controller.signal)
    connecting.catch(() => {})
    await until(() => server.sockets.size === 1, 'the client has connected')
    controller.abort()
    await expect(connecting).rejects.toMatchObject({ code: 'ERR_DERP_ABORTED' })
    await until(() => server.sockets.size === 0, 'its connection is closed')
    await client.close()
  }
  await using relay = await startHttpRelay()
  const client = makeClient(relay.url)
  await nextMessage(client, 'serverInfo')
  await client.close()
  await until(() => relay.sockets.size === 0, 'its connection is closed')
})

test('the socket is paused while the receiver does not read, and nothing is lost (P-203)', async () => {
  let relay: ScriptedRelay | undefined
  await using server = await startTcpServer(socket => {
    socket.once('data', () => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n')
      relay = new ScriptedRelay(new NodeConn(socket))
      relay.greet()
    })
  })
  await using client = makeClient(`http://127.0.0.1:${server.port}/derp`, { receiveQueueBytes: 64 << 10 })
  await client.connect()
  const source = NodePrivateKey.generate().publicKey()
  const say = (i: number) => relay?.say({ type: 'receivedPacket', source, data: new Uint8Array(64_000).fill(i) })
  // More than the system buffers for an unread socket.
  const count = 600
  for (let i = 0; i < count; i++) say(i)
  await untilStalled(() => relay?.writesTaken ?? 0)
  expect(relay?.writesTaken).toBeLessThan(count)
  for (let i = 0; i < count; i++) {
    const message = await client.recv()
    expect(message.type === 'receivedPacket' && [message.data.length, message.data[0]]).toEqual([64_000, i % 256])
  }
})
