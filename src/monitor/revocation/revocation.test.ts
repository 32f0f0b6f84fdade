import { X509Certificate } from 'node:crypto'
import { beforeAll, expect, test } from 'vitest'
import { FakeClock } from '../../../test/support/fake-clock.ts'
import { type IssueRequest, TestCa } from '../../../test/support/test-ca.ts'
import type { PeerCertificate } from '../../client/ports.ts'
import { type FetchBytes, type FetchRequest, RevocationChecker } from './revocation-checker.ts'

const CRL_URL = 'http://authority.test/list.crl'
const HOUR_MS = 3_600_000

let ca: TestCa
beforeAll(async () => {
  ca = await TestCa.create()
})

const signal = new AbortController().signal

async function issued(request: IssueRequest = {}, by = ca): Promise<PeerCertificate> {
  const { certificate } = await by.issue({ dns: ['relay.test'], crl: CRL_URL, ...request })
  return new X509Certificate(certificate)
}

/** A checker that fetches from `answer`, and what it has asked for. */
function checker(answer: () => Promise<Uint8Array<ArrayBuffer>>, status = 200) {
  const clock = new FakeClock({ wallMs: Date.now() })
  const asked: FetchRequest[] = []
  const fetchBytes: FetchBytes = async request => {
    asked.push(request)
    return { status, body: await answer() }
  }
  return { clock, asked, checker: new RevocationChecker({ clock, authorities: [ca.certificate], fetchBytes }) }
}

test('a certificate that its CRL does not list is good, and the list is asked for once an hour', async () => {
  const { clock, asked, checker: it } = checker(() => ca.revocationList([]))
  const leaf = await issued()
  for (let i = 0; i < 3; i++) expect(await it.check([leaf], signal)).toEqual({ kind: 'good' })
  expect(asked).toEqual([{ url: CRL_URL, post: undefined }])
  clock.advance(HOUR_MS)
  await it.check([leaf], signal)
  expect(asked).toHaveLength(2)
})

test('a list is asked for again when its authority has announced a new one', async () => {
  const nextUpdate = new Date(Date.now() + 60_000)
  const { clock, asked, checker: it } = checker(() => ca.revocationList([], { nextUpdate }))
  const leaf = await issued()
  await it.check([leaf], signal)
  clock.advance(61_000)
  await it.check([leaf], signal)
  expect(asked).toHaveLength(2)
})

test('a revoked certificate is refused, with time and reason', async () => {
  const leaf = await issued({ commonName: 'relay.test' })
  const { checker: it } = checker(() => ca.revocationList([leaf.serialNumber]))
  await expect(it.check([leaf], signal)).rejects.toThrow(
    /^check revocation of CN=relay.test: it was revoked on \d{4}-.*Z \(key compromised\); replace it$/,
  )
})

test('a list of another authority is refused', async () => {
  const other = await TestCa.create()
  const { checker: it } = checker(() => other.revocationList([]))
  await expect(it.check([await issued()], signal)).rejects.toThrow(
    `CRL of ${CRL_URL}: the list is not signed by the issuer of the certificate`,
  )
})

test('a certificate whose issuer is neither sent nor trusted is refused', async () => {
  const other = await TestCa.create()
  const leaf = await issued({}, other)
  const { checker: it } = checker(() => other.revocationList([]))
  await expect(it.check([leaf], signal)).rejects.toThrow('its issuer is neither sent along nor trusted')
  expect(await it.check([leaf, new X509Certificate(other.certificate)], signal)).toEqual({ kind: 'good' })
})

test('a list that cannot be had, or is none, is a failure, and is asked for again', async () => {
  const missing = checker(async () => new Uint8Array(), 404)
  const leaf = await issued()
  await expect(missing.checker.check([leaf], signal)).rejects.toThrow(`CRL of ${CRL_URL}: status 404`)
  await expect(missing.checker.check([leaf], signal)).rejects.toThrow('status 404')
  expect(missing.asked).toHaveLength(2)
  const broken = checker(async () => Uint8Array.of(1, 2, 3))
  await expect(broken.checker.check([leaf], signal)).rejects.toThrow(`CRL of ${CRL_URL}: `)
})

test('a certificate that names nobody is not checked, and that is said', async () => {
  const { asked, checker: it } = checker(() => ca.revocationList([]))
  const leaf = await issued({ crl: undefined })
  expect(await it.check([leaf], signal)).toEqual({
    kind: 'unchecked',
    reason: 'the certificate names neither a CRL nor an OCSP server',
  })
  expect(await it.check([], signal)).toMatchObject({ kind: 'unchecked' })
  expect(asked).toEqual([])
})

test("a certificate of Let's Encrypt without a CRL is refused, unless it is older than that rule", async () => {
  const { checker: it } = checker(() => ca.revocationList([]))
  const encrypt = await TestCa.create("R99, O=Let's Encrypt")
  const newer = await issued({ crl: undefined }, encrypt)
  await expect(it.check([newer], signal)).rejects.toThrow('names no CRL')
  const older = await issued({ crl: undefined, notBefore: new Date(Date.UTC(2025, 4, 6)) }, encrypt)
  expect(await it.check([older], signal)).toMatchObject({ kind: 'unchecked' })
})
