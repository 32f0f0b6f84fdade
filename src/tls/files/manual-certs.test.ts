import { createHash, X509Certificate } from 'node:crypto'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { FakeClock } from '../../../test/support/fake-clock.ts'
import { IN_BUN } from '../../../test/support/own-runtime.ts'
import { selfSignedRsa } from '../../../test/support/rsa-certificate.ts'
import { TestCa } from '../../../test/support/test-ca.ts'
import { isDerpError } from '../../lib/derp-error.ts'
import { type Log, type LogFields, silentLog } from '../../lib/log.ts'
import type { CertificatePair } from '../x509.ts'
import { createIpCertificate } from './ip-certificate.ts'
import { isIpHostname, loadManualCertificate, manualCertificatePaths } from './manual-certs.ts'

const root = mkdtempSync(join(tmpdir(), 'manual-certs-'))
let ca: TestCa
let forRelay: CertificatePair
let directory: string

beforeAll(async () => {
  ca = await TestCa.create()
  forRelay = await ca.issue({ dns: ['relay.test', '*.wild.test'], commonName: 'named.test' })
})

beforeEach(() => {
  directory = mkdtempSync(join(root, 'certs-'))
})

afterAll(() => rmSync(root, { recursive: true }))

function store(hostname: string, pair: Partial<CertificatePair>): void {
  const paths = manualCertificatePaths(directory, hostname)
  if (pair.certificate !== undefined) writeFileSync(paths.certificate, pair.certificate)
  if (pair.key !== undefined) writeFileSync(paths.key, pair.key)
}

/** The message of the error. */
async function refusal(hostname: string): Promise<string> {
  const error = await loadManualCertificate({ directory, hostname }).catch((reason: unknown) => reason)
  if (!isDerpError(error, 'ERR_DERP_CONFIG_INVALID')) throw new Error(`load certificate: unexpected ${error}`)
  return error.message
}

function recordingLog(): { log: Log; lines: { level: string; message: string; fields: LogFields }[] } {
  const lines: { level: string; message: string; fields: LogFields }[] = []
  const at =
    (level: string) =>
    (message: string, fields: LogFields = {}) =>
      void lines.push({ level, message, fields })
  return { log: { ...silentLog, info: at('info'), warn: at('warn') }, lines }
}

test.for([
  ['relay.test', 'relay.test'],
  ['127.0.0.1', '127.0.0.1'],
  ['::1', '1'],
  ['../e_v il/x', '..evilx'],
] as const)('manualCertificatePaths of %s are %s.crt and .key (P-145)', ([hostname, name]) => {
  expect(manualCertificatePaths('/certs', hostname)).toEqual({
    certificate: `/certs/${name}.crt`,
    key: `/certs/${name}.key`,
  })
})

test('isIpHostname distinguishes addresses from names, and rejects zones', () => {
  expect(['127.0.0.1', '::1', '2001:db8::1'].every(isIpHostname)).toBe(true)
  expect(['localhost', 'fe80::1%eth0', '1.2.3', '1.2.3.4.5', ''].some(isIpHostname)).toBe(false)
})

test.for(['relay.test', 'RELAY.test', 'relay.test.', 'a.wild.test'])(
  'loadManualCertificate accepts a certificate valid for %s (P-141, P-145)',
  async hostname => {
    store(hostname, forRelay)
    const loaded = await loadManualCertificate({ directory, hostname })
    expect(loaded).toMatchObject({ ...forRelay, derpMapNode: undefined })
  },
)

test.for(['other.test', 'a.b.wild.test', 'wild.test', 'named.test'])(
  'loadManualCertificate rejects a certificate that is not valid for %s, and names those it is valid for (P-141)',
  async hostname => {
    store(hostname, forRelay)
    const { certificate } = manualCertificatePaths(directory, hostname)
    expect(await refusal(hostname)).toBe(
      `use certificate file ${certificate}: it is valid for DNS:relay.test, DNS:*.wild.test, not for ${hostname}; ` +
        'set -hostname to one of its names, or get a certificate for this name',
    )
  },
)

test('loadManualCertificate names the missing file and what to put there (P-145)', async () => {
  const { certificate, key } = manualCertificatePaths(directory, 'relay.test')
  expect(await refusal('relay.test')).toBe(
    `read certificate file ${certificate}: no such file; put the certificate chain for relay.test there as PEM, or set -certdir`,
  )
  store('relay.test', { certificate: forRelay.certificate })
  expect(await refusal('relay.test')).toBe(
    `read certificate file ${key}: no such file; put the private key for relay.test there as PEM, or set -certdir`,
  )
})

test('loadManualCertificate reports what is wrong with a file (P-145)', async () => {
  const other = await ca.issue({ dns: ['relay.test'] })
  store('relay.test', { certificate: 'nonsense', key: forRelay.key })
  expect(await refusal('relay.test')).toMatch(/relay\.test\.crt: no certificate found; it must be PEM, starting with/)
  store('relay.test', { certificate: forRelay.certificate, key: forRelay.certificate })
  expect(await refusal('relay.test')).toMatch(
    /relay\.test\.key: no private key found; it must be PEM and not encrypted/,
  )
  store('relay.test', { key: other.key })
  expect(await refusal('relay.test')).toMatch(/relay\.test\.key: it does not match .*relay\.test\.crt; put the key/)
  const brokenChain = `${forRelay.certificate}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`
  store('relay.test', { certificate: brokenChain, key: forRelay.key })
  expect(await refusal('relay.test')).toMatch(/relay\.test\.crt: .*; check the certificates after the first/)
})

test('loadManualCertificate rejects a certificate with only a common name or a 1024-bit key, with the reason (P-141)', async () => {
  store('bare.test', await ca.issue({ commonName: 'bare.test' }))
  expect(await refusal('bare.test')).toMatch(
    /bare\.test\.crt: the certificate lists no name: a common name \(CN\) alone does not count \(-hostname is bare\.test\): issue it with/,
  )
  store('weak.test', await selfSignedRsa('weak.test', 1_024))
  // BoringSSL takes it, and clients that do not will say so.
  if (IN_BUN) return
  expect(await refusal('weak.test')).toMatch(
    /weak\.test\.crt: the key of the certificate is too short \(ee key too small\): issue it for an EC key/,
  )
})

test('loadManualCertificate warns about an expired certificate and uses it', async () => {
  store(
    'old.test',
    await ca.issue({ dns: ['old.test'], notBefore: new Date(0), notAfter: new Date(1_000_000_000_000) }),
  )
  const { log, lines } = recordingLog()
  await loadManualCertificate({ directory, hostname: 'old.test', log })
  expect(lines).toMatchObject([
    {
      level: 'warn',
      message: 'clients will refuse the certificate',
      fields: { reason: expect.stringContaining('the certificate has expired (at 2001-09-09') },
    },
  ])
})

test.for(['192.0.2.1', '2001:db8::1'])(
  'loadManualCertificate generates a certificate for %s (P-145)',
  async hostname => {
    const clock = new FakeClock({ wallMs: Date.UTC(2027, 1, 3, 4, 5, 6) })
    const certdir = join(directory, 'new', 'folder')
    const { derpMapNode, paths, ...pair } = await loadManualCertificate({ directory: certdir, hostname, clock })
    const certificate = new X509Certificate(pair.certificate)
    expect(certificate.subject).toBe(`CN=${hostname}`)
    expect(certificate.checkIP(hostname)).toBe(hostname)
    expect(certificate.publicKey.asymmetricKeyDetails).toMatchObject({ namedCurve: 'prime256v1' })
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1'])
    expect([certificate.validFromDate, certificate.validToDate]).toEqual([
      new Date('2027-02-03T04:05:06Z'),
      new Date('2028-02-03T04:05:06Z'),
    ])
    expect(pair.key).toMatch(/^-----BEGIN EC PRIVATE KEY-----\n/)
    expect(readFileSync(paths.certificate, 'utf8')).toBe(pair.certificate)
    expect(readFileSync(paths.key, 'utf8')).toBe(pair.key)
    expect([certdir, paths.certificate, paths.key].map(path => statSync(path).mode & 0o777)).toEqual([
      0o700, 0o644, 0o600,
    ])
    const hash = createHash('sha256').update(certificate.raw).digest('hex')
    expect(JSON.stringify(derpMapNode)).toBe(
      `{"Name":"custom","RegionID":900,"HostName":"${hostname}","CertName":"sha256-raw:${hash}"}`,
    )
  },
)

test('loadManualCertificate reuses the certificate it generated for an address (P-145)', async () => {
  const first = await loadManualCertificate({ directory, hostname: '192.0.2.1' })
  const second = await loadManualCertificate({ directory, hostname: '192.0.2.1' })
  expect(second).toEqual(first)
  expect(readdirSync(directory).toSorted()).toEqual(['192.0.2.1.crt', '192.0.2.1.key'])
})

test('loadManualCertificate replaces neither file of an address if only one exists (P-145)', async () => {
  store('192.0.2.1', { key: 'precious' })
  const { certificate, key } = manualCertificatePaths(directory, '192.0.2.1')
  expect(await refusal('192.0.2.1')).toBe(
    `read certificate file ${certificate}: no such file; put the certificate chain for 192.0.2.1 there as PEM, ` +
      `or remove ${key} to have both generated`,
  )
  expect(readFileSync(key, 'utf8')).toBe('precious')
})

test('createIpCertificate leaves no key without its certificate, which the next start would refuse (P-145)', async () => {
  const paths = manualCertificatePaths(directory, '192.0.2.1')
  // Nothing can be renamed to a folder.
  mkdirSync(paths.certificate)
  await expect(createIpCertificate('192.0.2.1', paths, new FakeClock())).rejects.toThrow()
  expect(readdirSync(directory)).toEqual(['192.0.2.1.crt'])
})

test('loadManualCertificate reports an unwritable folder', async () => {
  const file = join(directory, 'file')
  writeFileSync(file, '')
  chmodSync(file, 0o600)
  const error = loadManualCertificate({ directory: join(file, 'below'), hostname: '192.0.2.1' })
  await expect(error).rejects.toThrow(/192\.0\.2\.1\.crt: .*; /)
})
