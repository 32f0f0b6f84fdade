import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { TestCa } from '../../../test/support/test-ca.ts'
import type { CertificatePair } from '../x509.ts'
import { createAcmeKey } from './acme.ts'
import { type AcmeRecord, loadRecord, saveRecord } from './acme-record.ts'
import { acmePaths, loadAccountKey, loadAcmeCertificate, saveAcmeCertificate } from './acme-store.ts'

const root = mkdtempSync(join(tmpdir(), 'acme-store-'))
let directory: string
let pair: CertificatePair
let chain: string

beforeAll(async () => {
  const ca = await TestCa.create()
  pair = await ca.issue({ dns: ['relay.test'] })
  chain = `${pair.certificate.trim()}\n${ca.certificate.trim()}\n`
})
beforeEach(() => {
  directory = mkdtempSync(join(root, 'certs-'))
})
afterAll(() => rmSync(root, { recursive: true }))

test('acmePaths match the original, for names and addresses (P-149)', () => {
  expect(acmePaths('/c', 'relay.test')).toEqual({
    accountKey: '/c/acme_account+key',
    certificate: '/c/relay.test',
    key: '/c/relay.test',
    record: '/c/relay.test.acme.json',
  })
  expect(acmePaths('/c', '2001:db8::1')).toEqual({
    accountKey: '/c/acme-account.key',
    certificate: '/c/2001.db8..1.crt',
    key: '/c/2001.db8..1.key',
    record: '/c/2001.db8..1.acme.json',
  })
  expect(acmePaths('/c', '../x/y').certificate).toBe('/c/..xy')
})

test.each(['relay.test', '192.0.2.1'])(
  'a certificate for %s comes back as it was stored, private (P-149)',
  async subject => {
    const paths = acmePaths(join(directory, 'new'), subject)
    expect(await loadAcmeCertificate(paths)).toBeUndefined()
    await saveAcmeCertificate(paths, { certificate: chain, key: pair.key })
    expect(await loadAcmeCertificate(paths)).toEqual({ certificate: chain, key: pair.key })
    for (const path of [paths.certificate, paths.key]) expect(statSync(path).mode & 0o777).toBe(0o600)
    // Stored again over the old one; no temporary file is left behind.
    await saveAcmeCertificate(paths, { certificate: pair.certificate, key: pair.key })
    expect(await loadAcmeCertificate(paths)).toEqual({ certificate: pair.certificate, key: pair.key })
    expect(readdirSync(join(directory, 'new')).filter(name => name.endsWith('.tmp'))).toEqual([])
  },
)

test('a certificate without its key is ignored (P-149)', async () => {
  const paths = acmePaths(directory, '192.0.2.1')
  writeFileSync(paths.certificate, chain)
  expect(await loadAcmeCertificate(paths)).toBeUndefined()
})

test('loadAccountKey creates a key once and never overwrites one (P-149)', async () => {
  const paths = acmePaths(directory, 'relay.test')
  const key = await loadAccountKey(paths, createAcmeKey)
  expect(key).toMatch(/^-----BEGIN EC PRIVATE KEY-----/)
  expect(statSync(paths.accountKey).mode & 0o777).toBe(0o600)
  expect(await loadAccountKey(paths, createAcmeKey)).toBe(key)
  writeFileSync(paths.accountKey, 'not a key')
  expect(await loadAccountKey(paths, createAcmeKey)).toBe('not a key')
  expect(readFileSync(paths.accountKey, 'utf8')).toBe('not a key')
})

const record: AcmeRecord = {
  directoryUrl: 'https://acme.test/dir',
  identifiers: ['relay.test'],
  failures: 2,
  notBeforeMs: 5,
  obtainedMs: 0,
  lastError: { reason: 'refused', atMs: 4 },
}

test('a record comes back as it was stored (P-149)', async () => {
  const path = join(directory, 'record.json')
  expect(await loadRecord(path)).toBeUndefined()
  for (const stored of [record, { ...record, lastError: undefined }]) {
    await saveRecord(path, stored)
    expect(await loadRecord(path)).toEqual(stored)
  }
})

test.each([
  '',
  'null',
  '[]',
  '{"directoryUrl":1}',
  JSON.stringify({ ...record, failures: -1 }),
  JSON.stringify({ ...record, notBeforeMs: '5' }),
  JSON.stringify({ ...record, obtainedMs: null }),
  JSON.stringify({ ...record, identifiers: 'relay.test' }),
])('a record with %s is ignored (P-149)', async text => {
  const path = join(directory, 'record.json')
  writeFileSync(path, text)
  expect(await loadRecord(path)).toBeUndefined()
})
