import { X509Certificate } from 'node:crypto'
import { expect, test } from 'vitest'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { NodePrivateKey } from '../keys/node-key.ts'
import { createMetaCertificate } from './meta-cert.ts'

const DAY_MS = 24 * 3_600_000

test('createMetaCertificate announces the key in a self-signed Ed25519 certificate with serial 2 (P-140)', async () => {
  const clock = new FakeClock({ wallMs: Date.UTC(2026, 4, 6, 7, 8, 9) })
  const publicKey = NodePrivateKey.generate().publicKey()
  const certificate = new X509Certificate(await createMetaCertificate(publicKey, clock))
  expect(certificate.subject).toBe(`CN=derpkey${publicKey.toHex()}`)
  expect(certificate.issuer).toBe(certificate.subject)
  expect(Number.parseInt(certificate.serialNumber, 16)).toBe(2)
  expect(certificate.publicKey.asymmetricKeyType).toBe('ed25519')
  expect(certificate.verify(certificate.publicKey)).toBe(true)
  expect(certificate.validFromDate.getTime()).toBe(clock.wallNow() - 30 * DAY_MS)
  expect(certificate.validToDate.getTime()).toBe(clock.wallNow() + 30 * DAY_MS)
  expect(certificate.ca).toBe(false)
})

test('createMetaCertificate has critical basic constraints, as some platforms require (P-140)', async () => {
  const pem = await createMetaCertificate(NodePrivateKey.generate().publicKey())
  // Extension 2.5.29.19, critical, an empty sequence.
  const basicConstraints = Buffer.from('0603551d130101ff04023000', 'hex')
  expect(new X509Certificate(pem).raw.includes(basicConstraints)).toBe(true)
})
