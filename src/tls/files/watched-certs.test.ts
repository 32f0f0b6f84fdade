import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { FakeClock } from '../../../test/support/fake-clock.ts'
import { settle, until } from '../../../test/support/settle.ts'
import { TestCa } from '../../../test/support/test-ca.ts'
import { untilPolled } from '../../../test/support/watching.ts'
import { type Clock, systemClock } from '../../lib/clock.ts'
import { FILE_LIMIT_MS } from '../../lib/files/node-file-access.ts'
import type { FolderWatch } from '../../lib/files/node-watched-folders.ts'
import { type Log, type LogFields, silentLog } from '../../lib/log.ts'
import { summarizeCertificate } from '../certificate-source.ts'
import type { CertificatePair } from '../x509.ts'
import { loadManualCertificate } from './manual-certs.ts'
import { DEFAULTS, WatchedCertificates } from './watched-certs.ts'

const root = mkdtempSync(join(tmpdir(), 'watched-certs-'))
let ca: TestCa
let first: CertificatePair
let second: CertificatePair
let third: CertificatePair
let ofOther: CertificatePair
let directory: string
let watched: WatchedCertificates | undefined
let replaced: string[]
let lines: { level: string; message: string; fields: LogFields }[]

const at =
  (level: string) =>
  (message: string, fields: LogFields = {}) =>
    void lines.push({ level, message, fields })
const log: Log = { ...silentLog, info: at('info'), error: at('error') }

beforeAll(async () => {
  ca = await TestCa.create()
  ;[first, second, third] = (await Promise.all(
    ['1', '2', '3'].map(commonName => ca.issue({ dns: ['relay.test'], commonName })),
  )) as [CertificatePair, CertificatePair, CertificatePair]
  ofOther = await ca.issue({ dns: ['other.test'] })
})
beforeEach(() => {
  directory = mkdtempSync(join(root, 'certs-'))
  replaced = []
  lines = []
})
afterEach(() => watched?.close())
afterAll(() => rmSync(root, { recursive: true }))

/** Reports a change. */
let change: () => void

function createWatch(onChange: () => void): FolderWatch {
  change = onChange
  return { set() {}, close() {} }
}

function store(pair: Partial<CertificatePair>, folder = directory): void {
  if (pair.certificate !== undefined) writeFileSync(join(folder, 'relay.test.crt'), pair.certificate)
  if (pair.key !== undefined) writeFileSync(join(folder, 'relay.test.key'), pair.key)
}

/** Uses a real file watcher with the real clock; with another, only {@link change} reports changes. */
async function watchFolder(clock: Clock): Promise<WatchedCertificates> {
  const options = { directory, hostname: 'relay.test', log, clock, ...(clock !== systemClock && { createWatch }) }
  const certificate = await loadManualCertificate(options)
  const replace = (pair: CertificatePair) => void replaced.push(pair.certificate)
  watched = new WatchedCertificates({ ...options, certificate, replace })
  await watched.start()
  return watched
}

/** Advances time and waits for the due check, which schedules the next. */
async function lookAfter(clock: FakeClock, ms: number): Promise<void> {
  clock.advance(ms)
  await untilPolled(clock)
}

const messages = () => lines.map(({ level, message }) => `${level}: ${message}`)
const factsOf = (pair: CertificatePair) => {
  const { fingerprint, notAfterMs } = summarizeCertificate(pair.certificate)
  return { fingerprint, notAfter: new Date(notAfterMs).toISOString() }
}

test('WatchedCertificates finds missed changes by polling, and logs the new certificate (P-146)', async () => {
  store(first)
  const clock = new FakeClock()
  const source = await watchFolder(clock)
  expect(lines).toMatchObject([{ level: 'info', message: 'certificate loaded', fields: factsOf(first) }])
  store(second)
  await lookAfter(clock, DEFAULTS.pollMs)
  expect(replaced).toEqual([second.certificate])
  expect(lines[1]).toMatchObject({ level: 'info', message: 'certificate replaced', fields: factsOf(second) })
  const { fingerprint, notAfterMs } = summarizeCertificate(second.certificate)
  expect(source.status()).toEqual([
    {
      subject: 'relay.test',
      fingerprint,
      notAfterMs,
      lastError: undefined,
      lastErrorMs: undefined,
      nextAttemptMs: undefined,
      failures: 0,
      replacements: 1,
    },
  ])
  await lookAfter(clock, DEFAULTS.pollMs)
  expect(replaced).toHaveLength(1)
})

test('WatchedCertificates checks once after several changes (P-146)', async () => {
  store(first)
  const clock = new FakeClock()
  await watchFolder(clock)
  store(second)
  for (let i = 0; i < 3; i++) change()
  await lookAfter(clock, DEFAULTS.debounceMs - 1)
  expect(replaced).toEqual([])
  await lookAfter(clock, 1)
  expect(replaced).toEqual([second.certificate])
})

test('WatchedCertificates waits for the key that belongs to a new certificate (P-146)', async () => {
  store(first)
  const clock = new FakeClock()
  const source = await watchFolder(clock)
  store({ certificate: second.certificate })
  await lookAfter(clock, DEFAULTS.pollMs)
  // Another check before the files have settled.
  change()
  await lookAfter(clock, DEFAULTS.settleMs - 1)
  expect([replaced, source.status()[0]?.failures]).toEqual([[], 0])
  store({ key: second.key })
  await lookAfter(clock, 1)
  expect(replaced).toEqual([second.certificate])
  expect(messages()).toEqual(['info: certificate loaded', 'info: certificate replaced'])
})

test('WatchedCertificates keeps the old certificate when the new one is invalid, logs that once, and loads the next valid one (P-146)', async () => {
  store(first)
  const clock = new FakeClock()
  const source = await watchFolder(clock)
  store(ofOther)
  await lookAfter(clock, DEFAULTS.pollMs)
  for (let i = 0; i < 3; i++) await lookAfter(clock, DEFAULTS.pollMs)
  expect(replaced).toEqual([])
  expect(messages()).toEqual(['info: certificate loaded', 'error: certificate not replaced: the new one is unusable'])
  const { fields } = lines[1] as { fields: LogFields }
  expect(fields).toMatchObject({ file: join(directory, 'relay.test.crt'), ...factsOf(first) })
  expect(fields['reason']).toMatch(/relay\.test\.crt: it is valid for DNS:other\.test, not for relay\.test/)
  expect(source.status()[0]).toMatchObject({ lastError: fields['reason'], failures: 1, replacements: 0 })
  unlinkSync(join(directory, 'relay.test.key'))
  await lookAfter(clock, DEFAULTS.pollMs)
  await lookAfter(clock, DEFAULTS.settleMs)
  expect(source.status()[0]).toMatchObject({
    failures: 2,
    lastError: expect.stringMatching(/relay\.test\.key: no such/),
  })
  store(third)
  await lookAfter(clock, DEFAULTS.pollMs)
  expect(replaced).toEqual([third.certificate])
  expect(source.status()[0]).toMatchObject({ lastError: undefined, lastErrorMs: undefined, replacements: 1 })
})

test('WatchedCertificates clears an error when the files match the certificate in use again (P-146)', async () => {
  store(first)
  const source = await watchFolder(new FakeClock())
  store({ key: ofOther.key })
  await source.reload()
  expect(source.status()[0]?.lastError).toMatch(/it does not match/)
  store(first)
  await source.reload()
  expect(source.status()[0]?.lastError).toBeUndefined()
  expect(messages().at(-1)).toBe('info: certificate unchanged')
})

test('WatchedCertificates keeps the old certificate when the new one cannot be applied (P-146)', async () => {
  store(first)
  const options = { directory, hostname: 'relay.test', log, clock: new FakeClock(), createWatch }
  const refuse = () => {
    throw new Error('ee key too small')
  }
  watched = new WatchedCertificates({ ...options, certificate: await loadManualCertificate(options), replace: refuse })
  store(second)
  await watched.reload()
  expect(watched.status()[0]).toMatchObject({ ...certificateFactsOf(first), lastError: 'ee key too small' })
})

function certificateFactsOf(pair: CertificatePair) {
  const { fingerprint, notAfterMs } = summarizeCertificate(pair.certificate)
  return { fingerprint, notAfterMs }
}

test('WatchedCertificates reports a failed reload at once, and each time (P-146)', async () => {
  store(first)
  const source = await watchFolder(new FakeClock())
  store({ certificate: 'nothing' })
  await source.reload()
  await source.reload()
  expect(source.status()[0]?.failures).toBe(2)
  expect(messages().slice(1)).toEqual(
    ['error', 'error'].map(level => `${level}: certificate not replaced: the new one is unusable`),
  )
  expect(lines[1]?.fields['reason']).toMatch(/no certificate found/)
})

test('WatchedCertificates never generates a certificate for an IP address at runtime (P-145, P-146)', async () => {
  const options = { directory, hostname: '127.0.0.1', log, clock: new FakeClock(), createWatch }
  const certificate = await loadManualCertificate(options)
  watched = new WatchedCertificates({ ...options, certificate, replace: pair => void replaced.push(pair.certificate) })
  await watched.start()
  rmSync(certificate.paths.certificate)
  rmSync(certificate.paths.key)
  await watched.reload()
  expect(watched.status()[0]).toMatchObject({
    failures: 1,
    lastError: expect.stringMatching(/127\.0\.0\.1\.crt: no such/),
  })
  expect(replaced).toEqual([])
})

test('WatchedCertificates detects files moved into place (P-146)', async () => {
  store(first)
  await watchFolder(systemClock)
  const beside = mkdtempSync(join(root, 'new-'))
  store(second, beside)
  renameSync(join(beside, 'relay.test.key'), join(directory, 'relay.test.key'))
  renameSync(join(beside, 'relay.test.crt'), join(directory, 'relay.test.crt'))
  await until(() => replaced.length > 0, 'the certificate is replaced')
  expect(replaced).toEqual([second.certificate])
})

test.for(['Kubernetes', 'certbot'])(
  'WatchedCertificates detects links retargeted as %s does, twice (P-146)',
  async tool => {
    const isCertbot = tool === 'certbot'
    const stage = (pair: CertificatePair, name: string) => {
      const folder = join(directory, name)
      mkdirSync(folder)
      store(pair, folder)
      return folder
    }
    // certbot retargets links in its own folder; those in the watched folder point there.
    const live = isCertbot ? mkdtempSync(join(root, 'live-')) : directory
    const link = (target: string, path: string) => {
      symlinkSync(target, `${path}.new`)
      renameSync(`${path}.new`, path)
    }
    const turnTo = (folder: string) => {
      if (!isCertbot) return link(folder, join(directory, '..data'))
      for (const name of ['relay.test.key', 'relay.test.crt']) link(join(folder, name), join(live, name))
    }
    turnTo(stage(first, '..1'))
    for (const name of ['relay.test.key', 'relay.test.crt']) {
      symlinkSync(isCertbot ? join(live, name) : `..data/${name}`, join(directory, name))
    }
    await watchFolder(systemClock)
    for (const [i, pair] of [second, third].entries()) {
      turnTo(stage(pair, `..${i + 2}`))
      await until(() => replaced.length > i, 'the certificate is replaced')
    }
    expect(replaced).toEqual([second.certificate, third.certificate])
    expect(lines.filter(({ level }) => level === 'error')).toEqual([])
  },
)

test('WatchedCertificates on a hung mount reports it, and recovers (P-146)', async () => {
  store(first)
  const clock = new FakeClock()
  const mount = Promise.withResolvers<void>()
  let walks = 0
  const foldersOf = async () => {
    walks++
    await mount.promise
    return new Set<string>()
  }
  const options = { directory, hostname: 'relay.test', log, clock, createWatch, foldersOf }
  const replace = (pair: CertificatePair) => void replaced.push(pair.certificate)
  watched = new WatchedCertificates({ ...options, certificate: await loadManualCertificate(options), replace })
  const reload = watched.reload()
  await settle()
  clock.advance(FILE_LIMIT_MS)
  await reload
  expect(lines).toEqual([
    {
      level: 'error',
      message: 'certificate not replaced: the new one is unusable',
      fields: expect.objectContaining({ reason: 'no response after 10s; it may be on a dead mount' }),
    },
  ])
  expect(walks).toBe(1)
  store(second)
  mount.resolve()
  await watched.reload()
  expect(replaced).toEqual([second.certificate])
})

test('WatchedCertificates leaves no timer after close (P-146)', async () => {
  store(first)
  const clock = new FakeClock()
  const source = await watchFolder(clock)
  expect(clock.pendingTimers).toBe(1)
  await source.close()
  expect(clock.pendingTimers).toBe(0)
  store(second)
  await source.reload()
  expect(replaced).toEqual([])
})

test('WatchedCertificates logs the DERP map node for an address, with ports, for each certificate (P-145)', async () => {
  const options = { directory, hostname: '192.0.2.1', log, clock: new FakeClock(), createWatch }
  const certificate = await loadManualCertificate(options)
  const mapNodePorts = () => ({ DERPPort: 8443, STUNPort: -1 })
  const source = new WatchedCertificates({ ...options, certificate, replace() {}, mapNodePorts })
  await source.start()
  const other = await ca.issue({ ips: ['192.0.2.1'] })
  writeFileSync(certificate.paths.key, other.key)
  writeFileSync(certificate.paths.certificate, other.certificate)
  await source.reload()
  await source.close()
  const nodes = lines.flatMap(({ fields }) => ('derpMapNode' in fields ? [fields['derpMapNode']] : []))
  const common = { Name: 'custom', RegionID: 900, HostName: '192.0.2.1', DERPPort: 8443, STUNPort: -1 }
  const pinOf = (pem: string) => `sha256-raw:${summarizeCertificate(pem).fingerprint}`
  expect(nodes).toEqual([
    { ...common, CertName: pinOf(certificate.certificate) },
    { ...common, CertName: pinOf(other.certificate) },
  ])
})
