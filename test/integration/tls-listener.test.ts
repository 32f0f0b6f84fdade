import { X509Certificate } from 'node:crypto'
import { request as httpsRequest } from 'node:https'
import { connect as connectTcp } from 'node:net'
import { text } from 'node:stream/consumers'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type LogFields, silentLog } from '../../src/lib/log.ts'
import { NodeConn } from '../../src/transport/node-conn.ts'
import { ListeningRelay } from '../support/listening-relay.ts'
import { IN_BUN } from '../support/own-runtime.ts'
import { RawClient } from '../support/raw-client.ts'
import { exchange } from '../support/raw-http.ts'
import { until } from '../support/settle.ts'
import { TestCa } from '../support/test-ca.ts'

const UPGRADE = 'GET /derp HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: DERP\r\n'

let ca: TestCa
let named: ListeningRelay
let numbered: ListeningRelay
const debugLines: { message: string; fields: LogFields }[] = []

beforeAll(async () => {
  ca = await TestCa.create()
  named = await ListeningRelay.start({
    tls: { hostname: 'relay.test', certificate: await ca.issue({ dns: ['relay.test', 'also.test', '*.many.test'] }) },
    log: { ...silentLog, debug: (message, fields = {}) => void debugLines.push({ message, fields }) },
  })
  numbered = await ListeningRelay.start({
    tls: { hostname: '127.0.0.1', certificate: await ca.issue({ ips: ['127.0.0.1'] }) },
  })
})
afterAll(async () => {
  await named[Symbol.asyncDispose]()
  await numbered[Symbol.asyncDispose]()
})

/** A TLS connection; rejects when the handshake fails. */
function dial(relay: ListeningRelay, options: ConnectionOptions): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port: relay.port, host: '127.0.0.1', ca: ca.certificate, ...options }, () =>
      resolve(socket),
    )
    socket.on('error', reject)
  })
}

/** The code of a failed handshake. */
async function failureOf(relay: ListeningRelay, options: ConnectionOptions): Promise<string | undefined> {
  try {
    const socket = await dial(relay, options)
    socket.destroy()
    return undefined
  } catch (error) {
    return (error as NodeJS.ErrnoException).code
  }
}

/** Subjects of the certificates that the server sends, in order. */
function chainOf(socket: TLSSocket): X509Certificate[] {
  const chain: X509Certificate[] = []
  for (let at = socket.getPeerX509Certificate(); at !== undefined; at = at.issuerCertificate) chain.push(at)
  return chain
}

const NO_CERTIFICATE_CODE = IN_BUN ? 'ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR' : 'ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE'

test.for(['other.test', 'x.relay.test', 'relay.test.', 'RELAY.test', 'many.test', 'a.b.many.test', undefined])(
  'with a DNS host name, server name %s ends the handshake with an alert (P-141)',
  async servername => {
    const options = { ...(servername !== undefined && { servername }), rejectUnauthorized: false }
    expect(await failureOf(named, options)).toBe(NO_CERTIFICATE_CODE)
  },
)

test.for(['relay.test', 'also.test', 'x.many.test'])(
  'with a DNS host name, server name %s of its certificate gets that (P-141)',
  async servername => {
    const socket = await dial(named, { servername })
    expect(socket.authorized).toBe(true)
    socket.destroy()
  },
)

test.for(['other.test', undefined])(
  'with an IP host name, server name %s gets its certificate (P-141)',
  async servername => {
    const socket = await dial(numbered, {
      ...(servername !== undefined && { servername }),
      checkServerIdentity: () => undefined,
    })
    expect(socket.authorized).toBe(true)
    expect(new X509Certificate(socket.getPeerX509Certificate()?.raw ?? '').checkIP('127.0.0.1')).toBe('127.0.0.1')
    socket.destroy()
  },
)

test.for([
  ['named', () => named, { servername: 'relay.test' }],
  ['numbered', () => numbered, {}],
] as const)('the meta certificate follows the chain, for a %s relay (P-140)', async ([, relayOf, options]) => {
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const relay = relayOf()
    const socket = await dial(relay, { ...options, rejectUnauthorized: false, ca: [], maxVersion })
    expect(chainOf(socket).map(certificate => certificate.subject)).toEqual([
      'CN=test server',
      `CN=derpkey${relay.relay.publicKey.toHex()}`,
    ])
    socket.destroy()
  }
})

test('TLS 1.2 and 1.3 are supported, older versions are not (P-142)', async () => {
  const spoken = async (version: 'TLSv1.2' | 'TLSv1.3') => {
    const socket = await dial(named, { servername: 'relay.test', minVersion: version, maxVersion: version })
    const protocol = socket.getProtocol()
    socket.destroy()
    return protocol
  }
  expect(await spoken('TLSv1.2')).toBe('TLSv1.2')
  expect(await spoken('TLSv1.3')).toBe('TLSv1.3')
  // Security level 0 lets a Node client offer what is disabled by default.
  const old = {
    servername: 'relay.test',
    minVersion: 'TLSv1',
    maxVersion: 'TLSv1.1',
    ...(!IN_BUN && { ciphers: 'DEFAULT@SECLEVEL=0' }),
  } as const
  expect(await failureOf(named, old)).toBe('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION')
})

test.for([
  [undefined, false],
  [['http/1.1'], 'http/1.1'],
  [['h2', 'http/1.1'], 'http/1.1'],
] as const)('of the protocols %j, %s is selected (P-142)', async ([ALPNProtocols, agreed]) => {
  const socket = await dial(named, {
    servername: 'relay.test',
    ...(ALPNProtocols && { ALPNProtocols: [...ALPNProtocols] }),
  })
  expect(socket.alpnProtocol).toBe(agreed)
  socket.destroy()
})

test('h2 is not offered (P-142)', async () => {
  const options = { servername: 'relay.test', ALPNProtocols: ['h2'] }
  expect(await failureOf(named, options)).toBe('ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL')
})

test('a certificate can be replaced under live connections, and an invalid one changes nothing (P-141)', async () => {
  for (const [relay, options] of [
    [named, { servername: 'relay.test' }],
    [numbered, {}],
  ] as const) {
    const old = await dial(relay, { ...options, ALPNProtocols: ['http/1.1'] })
    const replacement = await ca.issue({ dns: ['relay.test'], ips: ['127.0.0.1'], commonName: 'second' })
    relay.tls?.replace(replacement)
    const other = await ca.issue({ dns: ['relay.test'] })
    expect(() => relay.tls?.replace({ certificate: replacement.certificate, key: other.key })).toThrow(
      /key.values.mismatch/i,
    )
    const fresh = await dial(relay, options)
    expect(chainOf(fresh).map(certificate => certificate.subject)).toContain('CN=second')
    expect(fresh.authorized).toBe(true)
    fresh.destroy()
    expect((await exchange(old, 'GET /derp/probe HTTP/1.1\r\nHost: h\r\n\r\n')).status).toBe(200)
    old.destroy()
  }
})

test('requests over TLS are counted by version, and active until they end (P-196)', async () => {
  const certificate = await ca.issue({ dns: ['relay.test'] })
  await using relay = await ListeningRelay.start({ tls: { hostname: 'relay.test', certificate } })
  const { http, core } = relay.relay
  const older = await dial(relay, { servername: 'relay.test', maxVersion: 'TLSv1.2' })
  await exchange(older, 'GET /derp/probe HTTP/1.1\r\nHost: h\r\n\r\n')
  await exchange(older, 'GET /derp/probe HTTP/1.1\r\nHost: h\r\n\r\n')
  older.destroy()
  const newer = await dial(relay, { servername: 'relay.test' })
  const { body } = await exchange(newer, `${UPGRADE}\r\n`)
  const client = await RawClient.login(new NodeConn(newer, body))
  await until(() => http.tlsActive['1.2'] === 0, 'the TLS 1.2 requests have ended')
  expect(http.tlsRequests).toEqual({ '1.2': 2, '1.3': 1 })
  expect(http.tlsActive).toEqual({ '1.2': 0, '1.3': 1 })
  expect([http.tlsAccepted, http.tlsHandshakeFailures]).toEqual([2, {}])
  client.close()
  await until(() => http.tlsActive['1.3'] === 0, 'the upgraded connection is closed')
  expect(core.counters.logins).toBe(1)
})

test('a failed handshake is counted by its cause, and logged at debug level only; plain HTTP gets 400 and is told of HTTPS (P-142)', async () => {
  const { tlsHandshakeFailures: failures } = named.relay.http
  const before = { ...failures }
  debugLines.length = 0
  const plain = connectTcp(named.port, '127.0.0.1')
  plain.on('error', () => {})
  plain.write('GET / HTTP/1.1\r\n\r\n')
  expect(await text(plain)).toMatch(
    /^HTTP\/1\.1 400 Bad Request\r\n.*This port speaks HTTPS: use an https:\/\/ URL\.\n$/s,
  )
  const garbage = connectTcp(named.port, '127.0.0.1')
  garbage.on('error', () => {})
  garbage.write('garbage garbage')
  expect(await text(garbage)).not.toContain('HTTP')
  await failureOf(named, { servername: 'other.test' })
  await until(() => debugLines.length === 3, 'all failures are logged')
  expect(failures).toEqual({
    ...before,
    plain_http: (before.plain_http ?? 0) + 1,
    not_tls: (before.not_tls ?? 0) + 1,
    server_name: (before.server_name ?? 0) + 1,
  })
  expect(debugLines).toMatchObject([
    {
      message: 'TLS handshake failed',
      fields: {
        remote: '127.0.0.1',
        code: 'ERR_SSL_HTTP_REQUEST',
        reason: 'plain HTTP was sent to a port that speaks TLS (http request): use https://',
      },
    },
    { message: 'TLS handshake failed', fields: { code: 'ERR_SSL_WRONG_VERSION_NUMBER' } },
    { message: 'TLS handshake failed', fields: { remote: '127.0.0.1', serverName: 'other.test' } },
  ])
  expect(await failureOf(named, { servername: 'relay.test' })).toBeUndefined()
})

test('a resumed session is served like others', async () => {
  const first = await dial(named, { servername: 'relay.test' })
  const sessions = new Promise<Buffer>(resolve => first.once('session', resolve))
  // Bun's servers send tickets with the first bytes that they write.
  await exchange(first, 'GET /derp/probe HTTP/1.1\r\nHost: h\r\n\r\n')
  const session = await sessions
  first.destroy()
  const second = await dial(named, { servername: 'relay.test', session })
  expect(second.isSessionReused()).toBe(true)
  expect((await exchange(second, `${UPGRADE}Derp-Fast-Start: 0\r\n\r\n`)).status).toBe(101)
  second.destroy()
  const other = { servername: 'other.test', session, rejectUnauthorized: false }
  expect(await failureOf(named, other)).toBe(NO_CERTIFICATE_CODE)
})

test('an ordinary HTTPS client is served', async () => {
  const status = await new Promise((resolve, reject) => {
    const options = { port: numbered.port, host: '127.0.0.1', ca: ca.certificate, agent: false }
    httpsRequest(options, response => resolve(response.resume().statusCode))
      .on('error', reject)
      .end()
  })
  expect(status).toBe(200)
})

const AES_256 = 'TLS_AES_256_GCM_SHA384'
const AES_128 = 'TLS_AES_128_GCM_SHA256'
const CHACHA = 'TLS_CHACHA20_POLY1305_SHA256'

// Bun's client has its own order; test/cli/derper-runtimes.test.ts tests Bun's server with Node's client.
test.skipIf(IN_BUN).each([
  ['AES-128-GCM, whatever AES the client likes best', [AES_256, AES_128, CHACHA], AES_128],
  ['ChaCha20 for a client that likes it best', [CHACHA, AES_128, AES_256], CHACHA],
  ['what both have', [AES_256], AES_256],
])('TLS 1.3 supports %s (P-142)', async (_, offered, expected) => {
  for (const [relay, servername] of [
    [named, 'relay.test'],
    [numbered, undefined],
  ] as const) {
    const socket = await dial(relay, { ciphers: offered.join(':'), ...(servername !== undefined && { servername }) })
    expect(socket.getCipher().name).toBe(expected)
    socket.destroy()
  }
})

test.skipIf(IN_BUN).each([
  ['ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-AES128-GCM-SHA256'],
  ['ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-CHACHA20-POLY1305'],
])('TLS 1.2 prefers the same order: %s (P-142)', async (ciphers, expected) => {
  const socket = await dial(named, { servername: 'relay.test', maxVersion: 'TLSv1.2', ciphers })
  expect(socket.getCipher().name).toBe(expected)
  socket.destroy()
})
