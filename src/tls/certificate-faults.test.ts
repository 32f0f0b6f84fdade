import { X509Certificate } from 'node:crypto'
import { expect, test } from 'vitest'
import { selfSignedRsa } from '../../test/support/rsa-certificate.ts'
import { TestCa } from '../../test/support/test-ca.ts'
import { certificateFaults } from './certificate-faults.ts'

const NOW_MS = Date.now()
const DAY_MS = 86_400_000

async function issued(notBeforeMs: number, notAfterMs: number): Promise<X509Certificate> {
  const ca = await TestCa.create()
  const request = { dns: ['relay.test'], notBefore: new Date(notBeforeMs), notAfter: new Date(notAfterMs) }
  return new X509Certificate((await ca.issue(request)).certificate)
}

async function selfSigned(bits: number): Promise<X509Certificate> {
  return new X509Certificate((await selfSignedRsa('relay.test', bits)).certificate)
}

const faultsOf = (certificate: X509Certificate, isPinned = false) =>
  certificateFaults({ certificate, isPinned }, NOW_MS)

test('certificateFaults tells expired from not yet valid', async () => {
  expect(faultsOf(await issued(NOW_MS - DAY_MS, NOW_MS + DAY_MS))).toEqual([])
  expect(faultsOf(await issued(NOW_MS - 2 * DAY_MS, NOW_MS - DAY_MS))).toEqual([
    expect.stringMatching(/^the certificate has expired \(at .*Z\): renew it/),
  ])
  expect(faultsOf(await issued(NOW_MS + DAY_MS, NOW_MS + 2 * DAY_MS))).toEqual([
    expect.stringMatching(/^the certificate is not valid yet \(valid from .*Z\): check the clocks/),
  ])
})

test('certificateFaults names a self-signed certificate unless clients pin it, and a short key', async () => {
  const long = await selfSigned(2_048)
  expect(faultsOf(long)).toEqual([expect.stringContaining('the certificate is self-signed')])
  expect(faultsOf(long, true)).toEqual([])
  expect(faultsOf(await selfSigned(1_024), true)).toEqual([
    expect.stringContaining('the key of the certificate is too short (RSA of 1024 bits)'),
  ])
})
