/** The client over TLS: verification of the server, and fast start. */

import { createHash, X509Certificate } from 'node:crypto'
import { createServer } from 'node:https'
import { connect } from 'node:net'
import type { ConnectionOptions, TlsOptions } from 'node:tls'
import { beforeAll, expect, test } from 'vitest'
import type { DERPNode } from '../../src/derpmap/types.ts'
import { Client, type ClientOptions } from '../../src/entries/client.ts'
import { NodePrivateKey } from '../../src/keys/node-key.ts'
import { createMetaCertificate } from '../../src/tls/meta-cert.ts'
import type { RelayTlsOptions } from '../../src/tls/relay-tls.ts'
import { type CertificatePair, createSelfSigned } from '../../src/tls/x509.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { ListeningRelay } from '../support/listening-relay.ts'
import { nextMessage } from '../support/relay.ts'
import { until } from '../support/settle.ts'
import { listenOnLoopback, startTcpServer } from '../support/socket-server.ts'
import { TestCa } from '../support/test-ca.ts'
import { TlsRecorder } from '../support/tls-recorder.ts'

const DAY_MS = 24 * 3_600_000

let ca: TestCa
let certificate: CertificatePair

beforeAll(async () => {
  ca = await TestCa.create()
  certificate = await ca.issue({ dns: ['relay.test'] })
})

const startRelay = (tls: Partial<RelayTlsOptions> = {}) =>
  ListeningRelay.start({ tls: { hostname: 'relay.test', certificate, ...tls } })

/** A client of a region with one node, at a loopback port. */
function clientOf(port: number, fields: Partial<DERPNode> = {}, options: ClientOptions = {}): Client {
  const node = { Name: '1a', RegionID: 1, HostName: 'relay.test', IPv4: '127.0.0.1', IPv6: 'none', ...fields }
  const region = { RegionID: 1, RegionCode: 'own', RegionName: '', Nodes: [{ DERPPort: port, ...node }] }
  return Client.forRegion(NodePrivateKey.generate(), () => region, {
    tlsConfig: { ca: ca.certificate },
    ...options,
  })
}

const pinOf = ({ certificate: pem }: CertificatePair) =>
  `sha256-raw:${createHash('sha256').update(new X509Certificate(pem).raw).digest('hex')}`

/** An HTTPS server that is not a relay, for handshakes that fail. */
async function startTlsServer(options: TlsOptions) {
  return listenOnLoopback(createServer(options))
}

test('fast start: request and ClientInfo leave in one record, without waiting for a response (P-122, P-213)', async () => {
  await using relay = await startRelay()
  await using recorder = await TlsRecorder.start({ port: relay.port, holdAfterHandshake: true })
  await using client = clientOf(recorder.port)
  await client.connect()
  expect(client.serverPublicKey()?.equals(relay.relay.publicKey)).toBe(true)
  await until(() => recorder.clientRecords.length === 2, 'the client has sent its login')
  recorder.release()
  await nextMessage(client, 'serverInfo')
  expect(recorder.clientRecords).toHaveLength(2)
})

test('without a meta certificate, or below TLS 1.3, the client waits for the 101 and for ServerKey (P-143, P-213)', async () => {
  await using relay = await startRelay()
  await using recorder = await TlsRecorder.start({ port: relay.port, holdAfterHandshake: true })
  await using client = clientOf(recorder.port, {}, { tlsConfig: { ca: ca.certificate, maxVersion: 'TLSv1.2' } })
  const connecting = client.connect()
  await until(() => recorder.heldBytes > 0, 'the relay has answered the request')
  const records = recorder.clientRecords.length
  recorder.release()
  await connecting
  await nextMessage(client, 'serverInfo')
  expect(recorder.clientRecords.length).toBeGreaterThan(records)
  expect(client.tlsConnectionState()).toMatchObject({ version: 'TLSv1.2', isResumed: false })
  expect(client.serverPublicKey()?.equals(relay.relay.publicKey)).toBe(true)
})

test('a resumed session has no certificates, but still uses fast start (P-143)', async () => {
  await using relay = await startRelay()
  await using recorder = await TlsRecorder.start({ port: relay.port, holdAfterHandshake: true })
  await using client = clientOf(recorder.port)
  for (const isResumed of [false, true, true]) {
    await client.connect()
    const state = client.tlsConnectionState()
    expect(state).toMatchObject({ version: 'TLSv1.3', isResumed, serverName: 'relay.test', pin: undefined })
    expect(state?.peerCertificates.map(({ subject }) => subject)).toEqual([
      'CN=test server',
      `CN=derpkey${relay.relay.publicKey.toHex()}`,
    ])
    recorder.release()
    await nextMessage(client, 'serverInfo')
    recorder.breakAll()
    await expect(client.recv()).rejects.toMatchObject({ code: 'ERR_DERP_CONN_CLOSED' })
  }
})

test('a session is not resumed under other settings (P-143)', async () => {
  await using relay = await startRelay()
  await using recorder = await TlsRecorder.start({ port: relay.port })
  await using client = clientOf(recorder.port)
  await nextMessage(client, 'serverInfo')
  recorder.breakAll()
  await expect(client.recv()).rejects.toMatchObject({ code: 'ERR_DERP_CONN_CLOSED' })
  client.tlsConfig = { ca: (await TestCa.create()).certificate }
  await expect(client.connect()).rejects.toMatchObject({ code: 'ERR_DERP_TLS_FAILED', reason: 'untrusted' })
  client.tlsConfig = { ca: ca.certificate }
  await client.connect()
  expect(client.tlsConnectionState()?.isResumed).toBe(false)
})

test('a session is not resumed again after a handshake that failed (P-143)', async () => {
  await using relay = await startRelay()
  let isBroken = false
  await using server = await startTcpServer(socket => {
    if (isBroken) {
      socket.once('data', () => socket.destroy())
      return
    }
    const upstream = connect(relay.port, '127.0.0.1').on('close', () => socket.destroy())
    socket.pipe(upstream).pipe(socket)
  })
  await using client = clientOf(server.port)
  await nextMessage(client, 'serverInfo')
  isBroken = true
  for (const socket of server.sockets) socket.destroy()
  await expect(client.recv()).rejects.toMatchObject({ code: 'ERR_DERP_CONN_CLOSED' })
  await expect(client.recv()).rejects.toMatchObject({ code: 'ERR_DERP_DIAL_FAILED' })
  isBroken = false
  await nextMessage(client, 'serverInfo')
  expect(client.tlsConnectionState()?.isResumed).toBe(false)
})

test('a session established without verification is not resumed by a node that requires it (P-143, P-144)', async () => {
  await using relay = await startRelay({ certificate: await ca.issue({ dns: ['other.test'] }) })
  await using recorder = await TlsRecorder.start({ port: relay.port })
  const node = { Name: '1a', RegionID: 1, HostName: 'relay.test', IPv4: '127.0.0.1', DERPPort: recorder.port }
  let InsecureForTests = true
  const region = () => ({ RegionID: 1, RegionCode: '', RegionName: '', Nodes: [{ ...node, InsecureForTests }] })
  await using client = Client.forRegion(NodePrivateKey.generate(), region, { tlsConfig: { ca: ca.certificate } })
  await nextMessage(client, 'serverInfo')
  recorder.breakAll()
  await expect(client.recv()).rejects.toMatchObject({ code: 'ERR_DERP_CONN_CLOSED' })
  InsecureForTests = false
  await expect(client.connect()).rejects.toMatchObject({ code: 'ERR_DERP_TLS_FAILED', reason: 'wrong-name' })
})

test('a session is not resumed after its certificate has expired (P-143)', async () => {
  await using relay = await startRelay()
  await using recorder = await TlsRecorder.start({ port: relay.port })
  const clock = new FakeClock({ wallMs: Date.now() })
  await using client = clientOf(recorder.port, {}, { clock })
  for (const [afterMs, isResumed] of [
    [0, false],
    [1, true],
    [2 * DAY_MS, false],
  ] as const) {
    clock.advance(afterMs)
    await nextMessage(client, 'serverInfo')
    expect(client.tlsConnectionState()?.isResumed).toBe(isResumed)
    recorder.breakAll()
    await expect(client.recv()).rejects.toMatchObject({ code: 'ERR_DERP_CONN_CLOSED' })
  }
})

test('tlsConfig may customize name checks, but not change a node’s name (P-144)', async () => {
  await using relay = await startRelay()
  const asked: string[] = []
  const tlsConfig: ConnectionOptions = {
    ca: ca.certificate,
    servername: 'other.test',
    checkServerIdentity: name => {
      asked.push(name)
      return asked.length === 1 ? undefined : Object.assign(new Error('no'), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
    },
  }
  await using first = clientOf(relay.port, {}, { tlsConfig })
  await first.connect()
  expect(first.tlsConnectionState()?.serverName).toBe('relay.test')
  await using second = clientOf(relay.port, { CertName: 'front.test' }, { tlsConfig })
  await expect(second.connect()).rejects.toMatchObject({ reason: 'wrong-name' })
  expect(asked).toEqual(['relay.test', 'front.test'])
  await using numbered = await startRelay({
    hostname: '127.0.0.1',
    certificate: await ca.issue({ ips: ['127.0.0.1'] }),
  })
  const options = { tlsConfig: { ca: ca.certificate, servername: 'other.test' } }
  await using byAddress = clientOf(numbered.port, { HostName: '127.0.0.1' }, options)
  await byAddress.connect()
  expect(byAddress.tlsConnectionState()?.serverName).toBeUndefined()
})

test('DNS is queried again after another host was found at the address (P-144)', async () => {
  await using server = await startTlsServer(pairOptions(await ca.issue({ dns: ['portal.test'] })))
  const expired: string[] = []
  const dnsCache = { lookup: async () => ['127.0.0.1'], expire: (host: string) => void expired.push(host) }
  await using client = clientOf(server.port, { IPv4: '' }, { dnsCache })
  await expect(client.connect()).rejects.toMatchObject({ reason: 'wrong-name' })
  expect(expired).toEqual(['relay.test'])
})

test('a relay restarted with another key but the same ticket keys is detected, once (P-213)', async () => {
  const ticketKeys = Buffer.alloc(48, 7)
  await using first = await startRelay({ ticketKeys })
  await using second = await startRelay({ ticketKeys })
  let port = first.port
  await using switchable = await startTcpServer(socket => {
    const upstream = connect(port, '127.0.0.1')
    upstream.on('error', () => {}).on('close', () => socket.destroy())
    socket.pipe(upstream).pipe(socket)
  })
  await using client = clientOf(switchable.port)
  await nextMessage(client, 'serverInfo')
  port = second.port
  for (const socket of switchable.sockets) socket.destroy()
  await expect(client.recv()).rejects.toMatchObject({ code: 'ERR_DERP_CONN_CLOSED' })
  await expect(client.recv()).rejects.toMatchObject({ code: 'ERR_DERP_LOGIN_KEY_WRONG' })
  await nextMessage(client, 'serverInfo')
  expect(client.serverPublicKey()?.equals(second.relay.publicKey)).toBe(true)
})

test('a server that is not a relay, with a valid certificate, is reported by status, with and without fast start (P-213)', async () => {
  const meta = await createMetaCertificate(NodePrivateKey.generate().publicKey())
  for (const cert of [certificate.certificate, certificate.certificate + meta]) {
    const server = createServer({ cert, key: certificate.key }, (_request, response) =>
      response.writeHead(404).end('no'),
    )
    await using listening = await listenOnLoopback(server)
    await using client = clientOf(listening.port)
    await expect(client.recv()).rejects.toMatchObject({ code: 'ERR_DERP_UPGRADE_REFUSED', status: 404 })
  }
})

test('CertName is the certificate’s name, HostName the server name sent (P-144)', async () => {
  const fronted = await ca.issue({ dns: ['front.test'] })
  await using relay = await startRelay({ certificate: fronted })
  await using client = clientOf(relay.port, { CertName: 'front.test' })
  await client.connect()
  expect(client.tlsConnectionState()?.serverName).toBe('relay.test')
  await using other = clientOf(relay.port)
  await expect(other.connect()).rejects.toMatchObject({ reason: 'wrong-name' })
})

test('a pinned certificate needs no CA, with and without the meta certificate (P-144)', async () => {
  const pin = pinOf(certificate)
  await using relay = await startRelay()
  await using client = clientOf(relay.port, { CertName: pin }, { tlsConfig: {} })
  await client.connect()
  expect(client.tlsConnectionState()).toMatchObject({ pin: pin.slice('sha256-raw:'.length), serverName: 'relay.test' })
  expect(client.serverPublicKey()?.equals(relay.relay.publicKey)).toBe(true)
})

test('a client of a URL accepts the pinned certificate and no other (P-144)', async () => {
  const own = await ca.issue({ ips: ['127.0.0.1'] })
  await using relay = await startRelay({ hostname: '127.0.0.1', certificate: own })
  const urlClient = (pin: string) =>
    new Client(NodePrivateKey.generate(), `https://127.0.0.1:${relay.port}/derp`, { pin })
  const pin = pinOf(own).slice('sha256-raw:'.length)
  await using client = urlClient(pin)
  await client.connect()
  expect(client.tlsConnectionState()?.pin).toBe(pin)
  await using sameAsOpenssl = urlClient(pin.toUpperCase().replaceAll(/..(?=.)/g, '$&:'))
  await sameAsOpenssl.connect()
  await using other = urlClient('00'.repeat(32))
  await expect(other.connect()).rejects.toMatchObject({ reason: 'wrong-pin' })
})

test('a pin that is no SHA-256 is refused when the client is made', () => {
  expect(() => new Client(NodePrivateKey.generate(), 'https://relay.test/derp', { pin: 'abc' })).toThrow(
    'set client option pin to "abc": not a SHA-256 of 64 hex digits',
  )
})

test('a client that speaks HTTP to a port with TLS is told of https', async () => {
  await using relay = await startRelay({ certificate: await ca.issue({ ips: ['127.0.0.1'] }) })
  await using client = new Client(NodePrivateKey.generate(), `http://127.0.0.1:${relay.port}/derp`)
  await expect(client.connect()).rejects.toThrow('https://')
})

test('InsecureForTests accepts any certificate, but still checks a pin (P-144)', async () => {
  await using relay = await startRelay({ certificate: await ca.issue({ dns: ['other.test'] }) })
  await using client = clientOf(relay.port, { InsecureForTests: true }, { tlsConfig: {} })
  await client.connect()
  await using pinned = clientOf(relay.port, { InsecureForTests: true, CertName: pinOf(certificate) })
  await expect(pinned.connect()).rejects.toMatchObject({ reason: 'wrong-pin' })
})

const PINNED = { CertName: 'pin' }

test.each<[what: string, reason: string, fields: Partial<DERPNode>, server: () => Promise<TlsOptions>]>([
  ['of another host', 'wrong-name', {}, async () => pairOptions(await ca.issue({ dns: ['other.test'] }))],
  [
    'with the host as its common name only',
    'wrong-name',
    {},
    async () => pairOptions(await ca.issue({ commonName: 'relay.test' })),
  ],
  ['that has expired', 'expired', {}, async () => pairOptions(await ca.issue(daysFromNow(-3, -2)))],
  ['that is not valid yet', 'not-yet-valid', {}, async () => pairOptions(await ca.issue(daysFromNow(2, 3)))],
  [
    'of an unknown authority',
    'untrusted',
    {},
    async () => pairOptions(await (await TestCa.create()).issue({ dns: ['relay.test'] })),
  ],
  [
    'of another host under a pin',
    'wrong-name',
    PINNED,
    async () => pairOptions(await ca.issue({ dns: ['other.test'] })),
  ],
  ['that has expired under a pin', 'expired', PINNED, async () => pairOptions(await ca.issue(daysFromNow(-3, -2)))],
  [
    'that is not valid yet under a pin',
    'not-yet-valid',
    PINNED,
    async () => pairOptions(await ca.issue(daysFromNow(2, 3))),
  ],
  [
    'with another behind it under a pin',
    'several-certificates',
    PINNED,
    async () => {
      const { certificate: pem, key } = certificate
      return { cert: `${pem}\n${ca.certificate}`, key }
    },
  ],
  [
    'that differs from the pin',
    'wrong-pin',
    { CertName: `sha256-raw:${'00'.repeat(32)}` },
    async () => pairOptions(certificate),
  ],
])('a certificate %s is refused as %s (P-144)', async (_what, reason, fields, makeServer) => {
  const options = await makeServer()
  await using server = await startTlsServer(options)
  const CertName = fields.CertName === 'pin' ? pinOf({ certificate: String(options.cert), key: '' }) : fields.CertName
  const clock = new FakeClock({ wallMs: Date.now() })
  await using client = clientOf(server.port, { ...fields, ...(CertName && { CertName }) }, { clock })
  await expect(client.connect()).rejects.toMatchObject({ code: 'ERR_DERP_TLS_FAILED', reason, clause: 'P-144' })
  expect(clock.pendingTimers).toBe(0)
  await until(() => server.sockets.size === 0, 'the connection is closed')
})

test('a pinned certificate after another leaf certificate is rejected (P-144)', async () => {
  const impostor = await createSelfSigned({
    commonName: `derpkey${NodePrivateKey.generate().publicKey().toHex()}`,
    keyType: 'P-256',
    serialHex: '02',
    notBefore: new Date(Date.now() - DAY_MS),
    notAfter: new Date(Date.now() + DAY_MS),
  })
  const cert = `${impostor.certificate}${certificate.certificate}`
  await using server = await startTlsServer({ cert, key: impostor.key })
  await using client = clientOf(server.port, { CertName: pinOf(certificate) })
  await expect(client.connect()).rejects.toMatchObject({ code: 'ERR_DERP_TLS_FAILED', reason: 'wrong-pin' })
})

test('the clock decides whether a pinned certificate is valid (P-144)', async () => {
  await using server = await startTlsServer(pairOptions(certificate))
  const clock = new FakeClock({ wallMs: Date.now() + 3 * DAY_MS })
  await using client = clientOf(server.port, { CertName: pinOf(certificate) }, { clock })
  await expect(client.connect()).rejects.toMatchObject({ reason: 'expired' })
})

test('a relay that refuses the server name, and a server without TLS, fail the handshake (P-141)', async () => {
  await using relay = await startRelay()
  await using client = clientOf(relay.port, { HostName: 'other.test' })
  await expect(client.connect()).rejects.toMatchObject({ code: 'ERR_DERP_TLS_FAILED', reason: 'handshake' })
  await using plain = await startTcpServer(socket => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
  await using other = clientOf(plain.port)
  await expect(other.connect()).rejects.toMatchObject({ code: 'ERR_DERP_TLS_FAILED', reason: 'handshake' })
  await using closing = await startTcpServer(socket => void socket.destroy())
  await using third = clientOf(closing.port)
  await expect(third.connect()).rejects.toMatchObject({ code: 'ERR_DERP_DIAL_FAILED' })
})

test('a handshake that never ends is abandoned after 10 s (P-202)', async () => {
  const arrived = Promise.withResolvers<void>()
  await using server = await startTcpServer(socket => void socket.once('data', () => arrived.resolve()))
  const clock = new FakeClock()
  await using client = clientOf(server.port, {}, { clock })
  const connecting = client.connect()
  connecting.catch(() => {})
  await arrived.promise
  clock.advance(10_000)
  await expect(connecting).rejects.toMatchObject({ code: 'ERR_DERP_DIAL_TIMEOUT' })
  await until(() => server.sockets.size === 0, 'the connection is closed')
  expect(clock.pendingTimers).toBe(0)
})

function pairOptions({ certificate: cert, key }: CertificatePair): TlsOptions {
  return { cert, key }
}

function daysFromNow(from: number, to: number) {
  return {
    dns: ['relay.test'],
    notBefore: new Date(Date.now() + from * DAY_MS),
    notAfter: new Date(Date.now() + to * DAY_MS),
  }
}
