import { execFile } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hasOpenssl } from '../../../test/support/openssl.ts'
import { type IssueRequest, TestCa } from '../../../test/support/test-ca.ts'
import type { PeerCertificate } from '../../client/ports.ts'
import { systemClock } from '../../lib/clock.ts'
import { type FetchBytes, RevocationChecker } from './revocation-checker.ts'

const [GOOD, REVOKED, UNKNOWN] = ['1001', '1002', '1003']
const signal = new AbortController().signal

/** Lines of the index of `openssl ca`: status, expiry, revocation, serial number, file, subject. */
const INDEX = [
  `V\t400101000000Z\t\t${GOOD}\tunknown\t/CN=relay.test`,
  `R\t400101000000Z\t261101120000Z,superseded\t${REVOKED}\tunknown\t/CN=relay.test`,
]

describe.skipIf(!hasOpenssl)('OCSP, answered by openssl', () => {
  const directory = mkdtempSync(join(tmpdir(), 'ocsp-'))
  const path = (name: string) => join(directory, name)
  let ca: TestCa

  beforeAll(async () => {
    ca = await TestCa.create()
    writeFileSync(path('ca.pem'), ca.certificate)
    writeFileSync(path('ca.key'), ca.key)
    writeFileSync(path('index.txt'), `${INDEX.join('\n')}\n`)
  })
  afterAll(() => rmSync(directory, { recursive: true }))

  /** Answers as a server would, signing with `signer`. */
  const answerBy =
    (signer: { readonly certificate: string; readonly key: string }, more: readonly string[] = []): FetchBytes =>
    async ({ post }) => {
      expect(post?.type).toBe('application/ocsp-request')
      writeFileSync(path('request.der'), post?.body ?? '')
      writeFileSync(path('signer.pem'), signer.certificate)
      writeFileSync(path('signer.key'), signer.key)
      const files = ['-reqin', path('request.der'), '-respout', '-', '-index', path('index.txt'), '-CA', path('ca.pem')]
      const args = [
        'ocsp',
        ...files,
        '-rsigner',
        path('signer.pem'),
        '-rkey',
        path('signer.key'),
        '-ndays',
        '1',
        ...more,
      ]
      const { stdout } = await promisify(execFile)('openssl', args, { encoding: 'buffer' })
      return { status: 200, body: Uint8Array.from(stdout) }
    }

  async function check(serial: string, fetchBytes: FetchBytes) {
    const checker = new RevocationChecker({ clock: systemClock, authorities: [ca.certificate], fetchBytes })
    return checker.check([await issued({ serial })], signal)
  }

  async function issued(request: IssueRequest): Promise<PeerCertificate> {
    const { certificate } = await ca.issue({ dns: ['relay.test'], ocsp: 'http://authority.test/ocsp', ...request })
    return new X509Certificate(certificate)
  }

  const own = () => ({ certificate: ca.certificate, key: ca.key })

  test('a certificate that the server calls good is good', async () => {
    expect(await check(GOOD, answerBy(own()))).toEqual({ kind: 'good' })
  })

  test('a revoked certificate is refused, with time and reason', async () => {
    await expect(check(REVOKED, answerBy(own()))).rejects.toThrow(
      'it was revoked on 2026-11-01T12:00:00.000Z (superseded); replace it',
    )
  })

  test('a certificate that the server does not know is refused', async () => {
    await expect(check(UNKNOWN, answerBy(own()))).rejects.toThrow(
      'OCSP of http://authority.test/ocsp: the server does not know the certificate',
    )
  })

  test('whom the issuer has certified for it may sign in its place, and nobody else', async () => {
    const delegate = await ca.issue({ commonName: 'responder', signsOcsp: true })
    expect(await check(GOOD, answerBy(delegate))).toEqual({ kind: 'good' })
    const server = await ca.issue({ commonName: 'some server' })
    await expect(check(GOOD, answerBy(server))).rejects.toThrow('not signed by the issuer')
    const stranger = await (await TestCa.create()).issue({ commonName: 'responder', signsOcsp: true })
    await expect(check(GOOD, answerBy(stranger))).rejects.toThrow('not signed by the issuer')
  })

  test('a response about another certificate, an error and nonsense are refused', async () => {
    const other: FetchBytes = async ({ url }) => {
      const leaf = await issued({ serial: GOOD })
      const checker = new RevocationChecker({
        clock: systemClock,
        authorities: [ca.certificate],
        fetchBytes: async (request, stop) => {
          answer = await answerBy(own())(request, stop)
          return answer
        },
      })
      let answer = { status: 0, body: new Uint8Array() }
      await checker.check([leaf], signal)
      expect(url).toBe('http://authority.test/ocsp')
      return answer
    }
    await expect(check(REVOKED, other)).rejects.toThrow('the response is about another certificate')
    const tryLater = Uint8Array.of(0x30, 0x03, 0x0a, 0x01, 0x03)
    await expect(check(GOOD, async () => ({ status: 200, body: tryLater }))).rejects.toThrow(
      'the server answers try later',
    )
    await expect(check(GOOD, async () => ({ status: 200, body: Uint8Array.of(1) }))).rejects.toThrow('OCSP of http')
  })
})
