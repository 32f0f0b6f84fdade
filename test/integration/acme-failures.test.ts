import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { type LogFields, silentLog } from '../../src/lib/log.ts'
import { AcmeCertificate, type AcmeCertificateOptions } from '../../src/tls/acme/acme-certificate.ts'
import { AcmeChallenges } from '../../src/tls/challenges.ts'
import type { CertificatePair } from '../../src/tls/x509.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { type Script, ScriptedAuthority } from '../support/scripted-authority.ts'
import { until } from '../support/settle.ts'
import { TestCa } from '../support/test-ca.ts'

const MINUTE_MS = 60_000
const DAY_MS = 24 * 3_600_000
const root = mkdtempSync(join(tmpdir(), 'acme-failures-'))
const opened: AcmeCertificate[] = []
let directory: string
let clock: FakeClock
let shown: string[]
let lines: { level: string; message: string; fields: LogFields }[]

beforeEach(() => {
  directory = mkdtempSync(join(root, 'certs-'))
  clock = new FakeClock()
  shown = []
  lines = []
})
afterEach(async () => {
  for (const certificate of opened.splice(0)) await certificate.close()
})
afterAll(() => rmSync(root, { recursive: true }))

async function start(directoryUrl: string, change: Partial<AcmeCertificateOptions> = {}): Promise<AcmeCertificate> {
  const at =
    (level: string) =>
    (message: string, fields: LogFields = {}) =>
      void lines.push({ level, message, fields })
  const certificate = new AcmeCertificate({
    directory,
    identifiers: ['relay.test'],
    required: ['relay.test'],
    account: { directoryUrl },
    challengeTypes: ['http-01'],
    challenges: new AcmeChallenges(),
    replace: pair => void shown.push(pair.certificate),
    log: { ...silentLog, info: at('info'), warn: at('warn'), error: at('error') },
    clock,
    random: () => 0,
    ...change,
  })
  opened.push(certificate)
  await certificate.start()
  return certificate
}

/** Waits until an attempt has failed and the next is scheduled; resolves to its delay in milliseconds. */
async function failed(certificate: AcmeCertificate, times: number): Promise<number> {
  const state = () => certificate.status()
  await until(() => state().failures === times && state().nextAttemptMs !== undefined, `failure ${times}`)
  return (state().nextAttemptMs ?? 0) - clock.wallNow()
}

const answer =
  (status: number, body: string, headers: Record<string, string> = {}): Script =>
  (_, response) =>
    void response.writeHead(status, headers).end(body)

test.for<[string, Script, RegExp]>([
  ['an error', answer(500, 'oops'), /returned error 500/],
  ['no directory', answer(200, 'hello'), /newAccount|newNonce/],
  ['no end of it', answer(200, 'x'.repeat(2 ** 20 + 1)), /ask 127\.0\.0\.1:\d+: response of more than 1048576 bytes/],
  [
    'nothing',
    request => void request.socket.destroy(),
    /ask 127\.0\.0\.1:\d+: the connection was reset \(socket hang up\)/,
  ],
  [
    'half an answer',
    (_, response) => void response.writeHead(200, { 'content-length': '9' }).write('x', () => response.destroy()),
    /ask 127\.0\.0\.1:\d+: the connection was reset \(aborted\)/,
  ],
])('an authority that responds with %s is retried after a minute (P-149)', async ([, script, reason]) => {
  await using authority = await ScriptedAuthority.start(script)
  const certificate = await start(authority.directoryUrl)
  expect(await failed(certificate, 1)).toBe(MINUTE_MS)
  expect(certificate.status().lastError).toMatch(reason)
  expect(lines).toMatchObject([
    {
      level: 'error',
      message: 'certificate not obtained',
      fields: { subject: 'relay.test', failures: 1, nextAttempt: new Date(clock.wallNow() + MINUTE_MS).toISOString() },
    },
  ])
  expect(authority.asked).toHaveLength(1)
  clock.advance(MINUTE_MS - 1)
  expect(certificate.status().nextAttemptMs).toBeDefined()
  clock.advance(1)
  expect(await failed(certificate, 2)).toBe(2 * MINUTE_MS)
  expect(authority.asked).toHaveLength(2)
})

test('an unreachable authority is logged, and retried with growing delays (P-149)', async () => {
  const authority = await ScriptedAuthority.start(answer(200, ''))
  await authority[Symbol.asyncDispose]()
  const certificate = await start(authority.directoryUrl)
  const waits: number[] = []
  for (let times = 1; times <= 8; times++) {
    const waitMs = await failed(certificate, times)
    waits.push(waitMs / MINUTE_MS)
    clock.advance(waitMs)
  }
  expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60])
  expect(certificate.status().lastError).toMatch(/^ask 127\.0\.0\.1:\d+: nothing listens there \(connect ECONNREFUSED/)
})

test.for([
  ['7200', 120],
  ['99999999', 24 * 60],
  [new Date(Date.UTC(2026, 10, 1, 3)).toUTCString(), 180],
  ['soon', 1],
] as const)('Retry-After %s of an authority is honoured, even by a reload (P-149)', async ([header, minutes]) => {
  const nonce = { 'replay-nonce': 'n' }
  const problem = JSON.stringify({ type: 'urn:ietf:params:acme:error:rateLimited', detail: 'too many requests' })
  await using authority = await ScriptedAuthority.start((request, response) => {
    const at = (path: string) => new URL(path, authority.directoryUrl).href
    const names = { newNonce: at('/nonce'), newAccount: at('/account'), newOrder: at('/order') }
    if (request.url === '/dir') answer(200, JSON.stringify(names))(request, response)
    else if (request.url === '/nonce') answer(200, '', nonce)(request, response)
    else answer(429, problem, { ...nonce, 'retry-after': header })(request, response)
  })
  const certificate = await start(authority.directoryUrl)
  expect(await failed(certificate, 1)).toBe(minutes * MINUTE_MS)
  expect(certificate.status().lastError).toBe('too many requests')
  clock.advance(30_000)
  await certificate.reload()
  expect(certificate.status().nextAttemptMs).toBe(clock.wallNow() - 30_000 + minutes * MINUTE_MS)
  expect(authority.asked).toEqual(['/dir', '/nonce', '/account'])
})

test.for([
  ['JSON', '{"x":1}', /the authority has sent something else than a certificate/],
  ['nonsense', 'hello', /^use what the authority has issued: \S/],
] as const)('%s in place of a certificate is a failure that says so (P-149)', async ([, certificateBody, reason]) => {
  const names = ['newNonce', 'newAccount', 'newOrder'].map(name => [name, `/${name}`])
  const order = { status: 'valid', authorizations: ['/authorization'], finalize: '/order', certificate: '/certificate' }
  const bodies: Readonly<Record<string, object | string>> = {
    '/dir': Object.fromEntries(names),
    '/newOrder': order,
    '/order': order,
    '/authorization': { status: 'valid', identifier: { type: 'dns', value: 'relay.test' }, challenges: [] },
    '/certificate': certificateBody,
  }
  await using authority = await ScriptedAuthority.start((request, response) => {
    const body = bodies[request.url ?? ''] ?? {}
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    const at = new URL('/', authority.directoryUrl).href
    const headers = { 'replay-nonce': 'n', location: `${at}order` }
    answer(request.url === '/newOrder' ? 201 : 200, text.replaceAll('"/', `"${at}`), headers)(request, response)
  })
  const certificate = await start(authority.directoryUrl)
  await failed(certificate, 1)
  expect(certificate.status().lastError).toMatch(reason)
})

test('an authority that does not respond is given three minutes (P-149)', async () => {
  await using authority = await ScriptedAuthority.start(() => {})
  const certificate = await start(authority.directoryUrl)
  await until(() => authority.asked.length === 1, 'the authority is queried')
  clock.advance(3 * MINUTE_MS)
  await failed(certificate, 1)
  expect(certificate.status().lastError).toBe('no certificate after 180 s')
})

test('a relay that restarts repeatedly retries immediately three times, then keeps the delay (P-149)', async () => {
  await using authority = await ScriptedAuthority.start(answer(500, ''))
  for (let times = 1; times <= 4; times++) {
    const certificate = await start(authority.directoryUrl)
    await failed(certificate, 1)
    await certificate.close()
  }
  expect(authority.asked).toHaveLength(4)
  const last = await start(authority.directoryUrl)
  expect(last.status()).toMatchObject({
    nextAttemptMs: clock.wallNow() + 8 * MINUTE_MS,
    lastError: expect.stringMatching(/returned error 500/),
    lastErrorMs: clock.wallNow(),
    failures: 0,
  })
  clock.advance(8 * MINUTE_MS)
  expect(await failed(last, 1)).toBe(16 * MINUTE_MS)
})

test('a reload retries, at the earliest a minute after the failure (P-149)', async () => {
  await using authority = await ScriptedAuthority.start(answer(500, ''))
  const certificate = await start(authority.directoryUrl)
  for (let times = 1; times <= 4; times++) clock.advance(await failed(certificate, times))
  expect(await failed(certificate, 5)).toBe(16 * MINUTE_MS)
  clock.advance(MINUTE_MS - 1)
  await certificate.reload()
  expect(certificate.status()).toMatchObject({ failures: 5, nextAttemptMs: clock.wallNow() + 1 })
  clock.advance(1)
  await failed(certificate, 6)
})

/** Stores a certificate as if obtained earlier. */
async function storeCertificate(days: number, dns: string = 'relay.test'): Promise<CertificatePair> {
  const ca = await TestCa.create()
  const notBefore = new Date(clock.wallNow())
  const notAfter = new Date(clock.wallNow() + days * DAY_MS)
  const pair = await ca.issue({ dns: [dns], notBefore, notAfter })
  writeFileSync(join(directory, 'relay.test'), pair.key + pair.certificate)
  return pair
}

test('the old certificate stays in use while its renewal fails, and the log says so (P-149)', async () => {
  await using authority = await ScriptedAuthority.start(answer(500, ''))
  const pair = await storeCertificate(90)
  const certificate = await start(authority.directoryUrl)
  expect(shown).toEqual([`${pair.certificate.trim()}\n`])
  expect(certificate.status().nextAttemptMs).toBe(clock.wallNow() + 60 * DAY_MS)
  clock.advance(60 * DAY_MS - 1)
  expect(authority.asked).toEqual([])
  clock.advance(1)
  await failed(certificate, 1)
  const { fields, message } = lines.at(-1) ?? {}
  expect([message, fields?.['notAfter']]).toEqual(['certificate not renewed', expect.stringMatching(/^2027-01-30T/)])
  expect(shown).toHaveLength(1)
})

test('a certificate of another directory is replaced immediately, also after a restart (P-149)', async () => {
  await using authority = await ScriptedAuthority.start(answer(500, ''))
  await storeCertificate(90)
  const other = { directoryUrl: 'https://staging.test/dir', identifiers: ['relay.test'], obtainedMs: clock.wallNow() }
  const record = JSON.stringify({ ...other, failures: 0, notBeforeMs: 0 })
  writeFileSync(join(directory, 'relay.test.acme.json'), record)
  for (let starts = 1; starts <= 2; starts++) {
    const certificate = await start(authority.directoryUrl)
    await failed(certificate, 1)
    expect([shown.length, authority.asked.length]).toEqual([starts, starts])
    await certificate.close()
  }
})

test('a reload picks up a certificate stored by another program (P-149)', async () => {
  await using authority = await ScriptedAuthority.start(answer(500, ''))
  const certificate = await start(authority.directoryUrl)
  await failed(certificate, 1)
  await storeCertificate(90)
  await certificate.reload()
  await certificate.reload()
  expect(shown).toHaveLength(1)
  expect(certificate.status()).toMatchObject({ nextAttemptMs: clock.wallNow() + 60 * DAY_MS, lastError: undefined })
})

test.for<[string, () => Promise<unknown>]>([
  ['of another name', () => storeCertificate(90, 'other.test')],
  ['that has ended', () => storeCertificate(-1)],
  ['that is none', async () => writeFileSync(join(directory, 'relay.test'), 'nothing')],
  [
    'with a key that is none',
    async () => {
      const { certificate } = await storeCertificate(90)
      writeFileSync(
        join(directory, 'relay.test'),
        `-----BEGIN PRIVATE KEY-----\nAA\n-----END PRIVATE KEY-----\n${certificate}`,
      )
    },
  ],
])('a stored certificate %s is ignored (P-149)', async ([, store]) => {
  await using authority = await ScriptedAuthority.start(answer(500, ''))
  await store()
  const certificate = await start(authority.directoryUrl)
  await failed(certificate, 1)
  expect(shown).toEqual([])
  expect(certificate.status().fingerprint).toBeUndefined()
})

test('an unwritable folder fails before any request (P-149)', async () => {
  await using authority = await ScriptedAuthority.start(answer(500, ''))
  const file = join(directory, 'file')
  writeFileSync(file, '')
  const certificate = await start(authority.directoryUrl, { directory: join(file, 'certs') })
  await failed(certificate, 1)
  expect(certificate.status().lastError).toMatch(/ENOTDIR/)
  expect(authority.asked).toEqual([])
  expect(lines.map(({ message }) => message)).toContain('ACME state not stored')
})

test('a clock that is set back years after a failure does not delay the next attempt for years (P-149)', async () => {
  const nowMs = clock.wallNow()
  clock.setWall(nowMs + 4 * 365 * DAY_MS)
  await using authority = await ScriptedAuthority.start(answer(500, 'your clock is wrong'))
  const certificate = await start(authority.directoryUrl)
  await failed(certificate, 1)
  clock.setWall(nowMs)
  clock.advance(MINUTE_MS)
  await failed(certificate, 2)
  expect(authority.asked).toHaveLength(2)
})

test('a certificate is renewed soon after a clock jumps forward beyond its time (P-149)', async () => {
  await using authority = await ScriptedAuthority.start(answer(500, ''))
  await storeCertificate(90)
  const certificate = await start(authority.directoryUrl)
  clock.setWall(clock.wallNow() + 61 * DAY_MS)
  clock.advance(60 * MINUTE_MS)
  await failed(certificate, 1)
  expect(authority.asked).toHaveLength(1)
})
