import { expect, test } from 'vitest'
import type { PeerCertificate } from '../client/ports.ts'
import { chainProblems, earliestExpiry } from './chain-verdict.ts'

const DAY_MS = 24 * 3_600_000
const NOW = Date.UTC(2026, 10, 1)

const certificate = (subject: string, fromDays: number, toDays: number): PeerCertificate => ({
  subject,
  issuer: 'CN=test authority',
  serialNumber: '01',
  validFromDate: new Date(NOW + fromDays * DAY_MS),
  validToDate: new Date(NOW + toDays * DAY_MS),
  fingerprint256: '',
  raw: new Uint8Array(),
})

test('chainProblems wants seven days left of each certificate', () => {
  expect(chainProblems([certificate('CN=leaf', -1, 7), certificate('CN=issuer', -1, 90)], NOW)).toEqual([])
  expect(chainProblems([certificate('CN=leaf', -1, 90), certificate('C=XX\nCN=issuer', -1, 6.5)], NOW)).toEqual([
    'certificate C=XX, CN=issuer expires in 6.5 days, on 2026-11-07T12:00:00.000Z: renew it',
  ])
})

test('chainProblems tells of a certificate that is not valid yet', () => {
  expect(chainProblems([certificate('CN=leaf', 1, 90)], NOW)).toEqual([
    'certificate CN=leaf is not valid before 2026-11-02T00:00:00.000Z: check the clocks of both machines',
  ])
})

test('meta certificates are no part of the chain', () => {
  const chain = [certificate('CN=leaf', -1, 90), certificate(`CN=derpkey${'ab'.repeat(32)}`, -1, 1)]
  expect(chainProblems(chain, NOW)).toEqual([])
  expect(earliestExpiry(chain)).toBe(NOW + 90 * DAY_MS)
  expect(earliestExpiry([])).toBeUndefined()
})
