import type { X509Certificate } from 'node:crypto'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { afterEach, beforeAll, expect, test } from 'vitest'
import { createPort80Routes } from '../../src/http/pages/port80.ts'
import { createRoutes } from '../../src/http/routes.ts'
import { NodePrivateKey } from '../../src/keys/node-key.ts'
import { createHttpListener } from '../../src/listen/node/http-listener.ts'
import { AcmeChallenges } from '../../src/tls/challenges.ts'
import { createMetaCertificate } from '../../src/tls/meta-cert.ts'
import { RelayTls } from '../../src/tls/relay-tls.ts'
import type { CertificatePair } from '../../src/tls/x509.ts'
import { NO_CERTIFICATE_ALERT } from '../support/own-runtime.ts'
import { ServedTls } from '../support/served-tls.ts'
import { TestCa } from '../support/test-ca.ts'

const ALPN = 'acme-tls/1'
const NO_PROTOCOL = /no.application.protocol/i

let named: CertificatePair
let numbered: CertificatePair
let proof: CertificatePair
let metaCertificate: string
const cleanups: (() => unknown)[] = []

beforeAll(async () => {
  const ca = await TestCa.create()
  named = await ca.issue({ dns: ['relay.test'], commonName: 'named' })
  numbered = await ca.issue({ ips: ['127.0.0.1'], commonName: 'numbered' })
  proof = await ca.issue({ dns: ['relay.test'], commonName: 'proof' })
  metaCertificate = await createMetaCertificate(NodePrivateKey.generate().publicKey())
})
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup()
})

/** A server, inspected with {@link Server.shown}. */
class Server {
  readonly challenges = new AcmeChallenges()
  readonly tls: RelayTls
  readonly #port: number

  private constructor(tls: RelayTls, challenges: AcmeChallenges, port: number) {
    this.tls = tls
    this.challenges = challenges
    this.#port = port
  }

  static async start(hostname: string, certificate?: CertificatePair): Promise<Server> {
    const challenges = new AcmeChallenges()
    const tls = new RelayTls({ hostname, certificate, metaCertificate, challenges })
    const server = await ServedTls.start(tls)
    cleanups.push(() => server[Symbol.asyncDispose]())
    return new Server(tls, challenges, server.port)
  }

  expectProof(serverName: string): void {
    void this.challenges.showTls(serverName, proof)
  }

  /** Subjects of the certificates presented to a client, or its handshake error. */
  shown(options: ConnectionOptions): Promise<string> {
    return new Promise(resolve => {
      const common = { port: this.#port, host: '127.0.0.1', rejectUnauthorized: false }
      const socket = connect({ ...common, ...options }, () => {
        resolve(subjectsOf(socket))
        socket.destroy()
      })
      socket.on('error', error => resolve(error.message))
    })
  }
}

function subjectsOf(socket: TLSSocket): string {
  const subjects: string[] = []
  let at: X509Certificate | undefined = socket.getPeerX509Certificate()
  for (; at !== undefined; at = at.issuerCertificate) {
    subjects.push(at.subject.startsWith('CN=derpkey') ? 'meta' : at.subject.replace('CN=', ''))
  }
  return subjects.join(' ')
}

const authority = (servername: string): ConnectionOptions => ({ servername, ALPNProtocols: [ALPN] })

test.for(['TLSv1.2', 'TLSv1.3'] as const)(
  'over %s, a validation request gets only the challenge certificate, and others the real one (P-147)',
  async version => {
    const server = await Server.start('relay.test', named)
    const limits = { minVersion: version, maxVersion: version }
    server.expectProof('relay.test')
    expect(await server.shown({ ...authority('relay.test'), ...limits })).toBe('proof')
    expect(await server.shown({ servername: 'relay.test', ...limits })).toBe('named meta')
    const both = ['http/1.1', ALPN]
    expect(await server.shown({ servername: 'relay.test', ALPNProtocols: both, ...limits })).toBe('named meta')
    expect(await server.shown({ ...authority('other.test'), ...limits })).toMatch(/alert/i)
    server.challenges.hideTls('relay.test')
    expect(await server.shown({ ...authority('relay.test'), ...limits })).toMatch(NO_PROTOCOL)
  },
)

test('without a certificate, only challenge certificates are served (P-141, P-147)', async () => {
  const server = await Server.start('relay.test')
  server.expectProof('relay.test')
  expect(await server.shown(authority('relay.test'))).toBe('proof')
  for (const options of [{ servername: 'relay.test' }, { servername: 'other.test' }, {}]) {
    expect(await server.shown(options)).toMatch(NO_CERTIFICATE_ALERT)
  }
  server.tls.replace(named)
  expect(await server.shown({ servername: 'relay.test' })).toBe('named meta')
})

test('an address is validated by its reverse name, before and after there is a certificate (P-147, P-148)', async () => {
  const server = await Server.start('127.0.0.1')
  server.expectProof('1.0.0.127.in-addr.arpa')
  expect(await server.shown({})).toMatch(NO_CERTIFICATE_ALERT)
  for (let round = 0; round < 2; round++) {
    expect(await server.shown(authority('1.0.0.127.in-addr.arpa'))).toBe('proof')
    server.tls.replace(numbered)
  }
  expect(await server.shown({})).toBe('numbered meta')
  expect(await server.shown({ servername: 'any.test' })).toBe('numbered meta')
})

test('a relay with a name and addresses serves each its own certificate, and none for another name (P-148)', async () => {
  const server = await Server.start('relay.test')
  server.tls.replaceUnnamed(numbered)
  expect(await server.shown({})).toBe('numbered meta')
  expect(await server.shown({ servername: 'relay.test' })).toMatch(/disconnected before secure/)
  server.tls.replace(named)
  expect(await server.shown({ servername: 'relay.test' })).toBe('named meta')
  expect(await server.shown({ servername: 'other.test' })).toMatch(/disconnected before secure/)
  server.expectProof('1.0.0.127.in-addr.arpa')
  server.expectProof('relay.test')
  expect(await server.shown(authority('1.0.0.127.in-addr.arpa'))).toBe('proof')
  expect(await server.shown(authority('relay.test'))).toBe('proof')
})

test('ALPN negotiation is the same as without ACME (P-142)', async () => {
  const server = await Server.start('relay.test', named)
  const agreed = (ALPNProtocols?: string[]) =>
    server.shown({ servername: 'relay.test', ...(ALPNProtocols && { ALPNProtocols }) })
  expect([await agreed(), await agreed(['h2', 'http/1.1'])]).toEqual(['named meta', 'named meta'])
  expect(await agreed(['h2'])).toMatch(NO_PROTOCOL)
})

test('port 80 answers challenges, and returns 404 for unknown ones (P-147, P-166)', async () => {
  const challenges = new AcmeChallenges()
  challenges.http.set('token-1', 'token-1.print')
  const routes = createPort80Routes(createRoutes(), challenges)
  const listener = createHttpListener({ routes, acceptTimeoutMs: 10_000 })
  const { port } = await listener.listen(0, '127.0.0.1')
  cleanups.push(() => listener.close())
  const ask = (path: string, method = 'GET') => fetch(`http://127.0.0.1:${port}${path}`, { method, redirect: 'manual' })
  const found = await ask('/.well-known/acme-challenge/token-1')
  expect([found.status, found.headers.get('content-type'), await found.text()]).toEqual([
    200,
    'text/plain',
    'token-1.print',
  ])
  expect((await ask('/.well-known/acme-challenge/token-1?x=y', 'HEAD')).status).toBe(200)
  expect((await ask('/.well-known/acme-challenge/token-2')).status).toBe(404)
  expect((await ask('/.well-known/other')).status).toBe(302)
  challenges.http.clear()
  expect((await ask('/.well-known/acme-challenge/token-1')).status).toBe(404)
})

test('port 80 without ACME redirects these paths to TLS (P-166)', async () => {
  const listener = createHttpListener({
    routes: createPort80Routes(createRoutes()),
    acceptTimeoutMs: 10_000,
  })
  const { port } = await listener.listen(0, '127.0.0.1')
  cleanups.push(() => listener.close())
  const answer = await fetch(`http://127.0.0.1:${port}/.well-known/acme-challenge/a`, { redirect: 'manual' })
  expect([answer.status, answer.headers.get('location')]).toEqual([
    302,
    `https://127.0.0.1:${port}/.well-known/acme-challenge/a`,
  ])
})
