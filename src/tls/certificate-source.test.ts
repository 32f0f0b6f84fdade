import { expect, test } from 'vitest'
import { TLS_CERT } from '../../test/support/tls-fixture.ts'
import {
  type CertificateStatus,
  certificateProblem,
  renewalProblem,
  summarizeCertificate,
} from './certificate-source.ts'

const status: CertificateStatus = {
  subject: 'relay.test',
  fingerprint: 'ab',
  notAfterMs: 1000,
  lastError: undefined,
  lastErrorMs: undefined,
  nextAttemptMs: undefined,
  failures: 0,
  replacements: 0,
}

test('summarizeCertificate returns the first certificate’s hash as pinned in DERP maps, and its validity', () => {
  const facts = summarizeCertificate(TLS_CERT)
  expect(facts.fingerprint).toMatch(/^[0-9a-f]{64}$/)
  expect(new Date(facts.notBeforeMs).toISOString()).toBe('2026-11-23T00:27:37.000Z')
  expect(new Date(facts.notAfterMs).toISOString()).toBe('2126-10-30T00:27:37.000Z')
  expect(() => summarizeCertificate('nothing')).toThrow()
})

test.each<[string, Partial<CertificateStatus>, number, string | undefined]>([
  ['is there', {}, 999, undefined],
  ['is there while its renewal fails', { lastError: 'no answer' }, 999, undefined],
  ['has expired', {}, 1000, 'certificate for relay.test has expired'],
  [
    'has expired and could not be renewed',
    { lastError: 'no answer' },
    1001,
    'certificate for relay.test has expired: no answer',
  ],
  ['is not there', { notAfterMs: undefined }, 0, 'no certificate for relay.test yet'],
  [
    'could not be obtained',
    { notAfterMs: undefined, lastError: 'refused' },
    0,
    'no certificate for relay.test yet: refused',
  ],
])('certificateProblem of one that %s', (_, change, nowMs, problem) => {
  expect(certificateProblem([{ ...status, ...change }], nowMs)).toBe(problem)
})

test.each<[string, Partial<CertificateStatus>, string | undefined]>([
  ['is there', {}, undefined],
  [
    'is there while its renewal fails',
    { lastError: 'no answer' },
    'certificate for relay.test was not renewed: no answer',
  ],
  ['has expired', { notAfterMs: 500, lastError: 'no answer' }, undefined],
  ['is not there', { notAfterMs: undefined, lastError: 'no answer' }, undefined],
])('renewalProblem of one that %s', (_, change, problem) => {
  expect(renewalProblem([{ ...status, ...change }], 999)).toBe(problem)
})
