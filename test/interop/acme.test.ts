import type { X509Certificate } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { Client } from '../../src/entries/client.ts'
import { NodePrivateKey } from '../../src/keys/node-key.ts'
import { certificateProblem } from '../../src/tls/certificate-source.ts'
import { AcmeRelay, type AcmeRelayOptions } from '../support/acme-relay.ts'
import { hasGo } from '../support/go-tools.ts'
import { Pebble } from '../support/pebble.ts'
import { nextMessage } from '../support/relay.ts'
import { freePort } from '../support/relays.ts'
import { SkewedClock } from '../support/skewed-clock.ts'

const DAY_MS = 24 * 3_600_000
const EAB_KEY = 'zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W'

/** Subjects of the relay's chain, and its leaf certificate. */
function chainOf(socket: TLSSocket): { leaf: X509Certificate; subjects: string[] } {
  const leaf = socket.getPeerX509Certificate() as X509Certificate
  const subjects: string[] = []
  for (let at: X509Certificate | undefined = leaf; at !== undefined; at = at.issuerCertificate)
    subjects.push(at.subject)
  socket.destroy()
  return { leaf, subjects }
}

describe.skipIf(!hasGo)('certificates from an ACME authority', () => {
  const root = mkdtempSync(join(tmpdir(), 'acme-'))
  let ports: { httpPort: number; tlsPort: number }
  let pebble: Pebble
  let ca: string
  let directory: string

  beforeAll(async () => {
    ports = { httpPort: await freePort(), tlsPort: await freePort() }
    // One in ten nonces is rejected: clients must retry.
    pebble = await Pebble.start({ ...ports, env: { PEBBLE_WFE_NONCEREJECT: '10' } })
    ca = await pebble.rootCertificate()
  })
  beforeEach(() => {
    directory = mkdtempSync(join(root, 'certs-'))
  })
  afterAll(async () => {
    await pebble?.stop()
    rmSync(root, { recursive: true })
  })

  function startRelay(options: Partial<AcmeRelayOptions> = {}): Promise<AcmeRelay> {
    const { directoryUrl, directoryCa } = pebble
    return AcmeRelay.start({ hostname: 'relay.test', directory, directoryUrl, directoryCa, ...ports, ...options })
  }

  /** Waits until this holds and the next attempt is scheduled. */
  async function untilStatus(relay: AcmeRelay, holds: () => boolean): Promise<void> {
    const state = () => (holds() && relay.status().nextAttemptMs !== undefined ? 'yes' : relay.status().lastError)
    await expect.poll(state, { interval: 20 }).toBe('yes')
  }

  const hasCertificate = (relay: AcmeRelay) => relay.status().fingerprint !== undefined

  test.for([
    ['tls-alpn-01', 'tls'],
    ['http-01', 'http'],
  ] as const)(
    'a relay with a name obtains its certificate by %s, and stores it (P-147, P-149)',
    async ([type, kind]) => {
      await using relay = await startRelay({ challengeTypes: [type], listens: [kind], email: 'ops@relay.test' })
      await untilStatus(relay, () => hasCertificate(relay))
      if (kind === 'http') await relay.listen('tls')
      const socket = await relay.dial({ servername: 'relay.test', ca })
      expect([socket.authorized, socket.alpnProtocol]).toEqual([true, false])
      const { leaf, subjects } = chainOf(socket)
      expect(subjects.at(-1)).toBe(`CN=derpkey${relay.relay.publicKey.toHex()}`)
      expect(relay.status()).toMatchObject({
        subject: 'relay.test',
        fingerprint: leaf.fingerprint256.replaceAll(':', '').toLowerCase(),
        notAfterMs: leaf.validToDate.getTime(),
        lastError: undefined,
        replacements: 1,
      })
      expect(relay.linesOf('certificate obtained')).toMatchObject([{ subject: 'relay.test' }])
      const names = ['acme_account+key', 'relay.test', 'relay.test.acme.json']
      expect(readdirSync(directory).sort()).toEqual(names)
      for (const name of names) expect(statSync(join(directory, name)).mode & 0o777).toBe(0o600)
      // The original's format: key first.
      expect(readFileSync(join(directory, 'relay.test'), 'utf8')).toMatch(/^-----BEGIN EC PRIVATE KEY-----/)
    },
  )

  test('challenge answers are removed after validation (P-147)', async () => {
    await using relay = await startRelay({ challengeTypes: ['tls-alpn-01'] })
    await untilStatus(relay, () => hasCertificate(relay))
    const dialled = relay.dial({ servername: 'relay.test', ALPNProtocols: ['acme-tls/1'], rejectUnauthorized: false })
    await expect(dialled).rejects.toThrow(/no application protocol/)
  })

  test.for(['http-01', 'tls-alpn-01'] as const)(
    'a relay with an IP address obtains a short-lived certificate by %s, for clients without a server name (P-148)',
    async type => {
      await using relay = await startRelay({ hostname: '127.0.0.1', ipCerts: true, challengeTypes: [type] })
      await untilStatus(relay, () => hasCertificate(relay))
      const socket = await relay.dial({ ca })
      expect(socket.authorized).toBe(true)
      const { leaf } = chainOf(socket)
      expect([leaf.subject, leaf.subjectAltName]).toEqual([undefined, 'IP Address:127.0.0.1'])
      expect(leaf.validToDate.getTime() - leaf.validFromDate.getTime()).toBeLessThan(7 * DAY_MS)
      // Three days later: half of its lifetime.
      expect((relay.status().nextAttemptMs ?? 0) - Date.now()).toBeLessThan(3.1 * DAY_MS)
      expect(relay.linesOf('certificate obtained')).toMatchObject([
        { derpMapNodes: [{ Name: 'custom', RegionID: 900, HostName: '127.0.0.1' }] },
      ])
      expect(readdirSync(directory).sort()).toEqual([
        '127.0.0.1.acme.json',
        '127.0.0.1.crt',
        '127.0.0.1.key',
        'acme-account.key',
      ])
    },
  )

  test('a relay with a name serves one for its addresses to clients without a server name (P-148)', async () => {
    await using relay = await startRelay({ ipCerts: true, ipAddresses: ['127.0.0.1'] })
    await untilStatus(relay, () => hasCertificate(relay) && relay.status(1).fingerprint !== undefined)
    const named = chainOf(await relay.dial({ servername: 'relay.test', ca }))
    expect(named.leaf.subjectAltName).toBe('DNS:relay.test')
    const unnamed = chainOf(await relay.dial({ ca }))
    expect(unnamed.leaf.subjectAltName).toBe('IP Address:127.0.0.1')
    expect(unnamed.subjects.at(-1)).toMatch(/^CN=derpkey/)
    const dialled = relay.dial({ servername: 'other.test', rejectUnauthorized: false })
    await expect(dialled).rejects.toThrow(/disconnected before secure/)
    const reason = 'no certificate for server name other.test'
    expect(relay.linesOf('TLS handshake failed')).toContainEqual(expect.objectContaining({ reason }))
  })

  test('addresses that fail validation are left out, and the rest get their certificate (P-148)', async () => {
    const ipAddresses = ['127.0.0.77', '127.0.0.1']
    await using relay = await startRelay({
      hostname: '127.0.0.1',
      ipCerts: true,
      ipAddresses,
      challengeTypes: ['http-01'],
    })
    await untilStatus(relay, () => hasCertificate(relay))
    expect(chainOf(await relay.dial({ ca })).leaf.subjectAltName).toBe('IP Address:127.0.0.1')
    expect(relay.linesOf('certificate will lack some addresses')).toMatchObject([{ rejected: ['127.0.0.77'] }])
  })

  test('a certificate is renewed in time and only once, without affecting live connections (P-149)', async () => {
    const clock = new SkewedClock()
    await using relay = await startRelay({ clock, profile: 'default' })
    await untilStatus(relay, () => hasCertificate(relay))
    const before = relay.status()
    await using old = new Client(NodePrivateKey.generate(), `https://relay.test:${ports.tlsPort}/derp`, {
      tlsConfig: { ca },
      dnsCache: { lookup: async () => ['127.0.0.1'] },
    })
    const echo = async (text: string) => {
      await old.send(old.selfPublicKey(), Buffer.from(text))
      return Buffer.from((await nextMessage(old, 'receivedPacket')).data).toString()
    }
    expect(await echo('before')).toBe('before')
    clock.advance(59 * DAY_MS)
    const due = new Date(relay.status().nextAttemptMs ?? 0).getTime() - clock.wallNow()
    expect(due).toBeGreaterThan(0.9 * DAY_MS)
    expect(due).toBeLessThan(1.1 * DAY_MS)
    clock.advance(1.1 * DAY_MS)
    await untilStatus(relay, () => relay.status().replacements === 2)
    const after = relay.status()
    expect(after.fingerprint).not.toBe(before.fingerprint)
    // By this clock the new one is also old, as the authority's clock did not advance; renewal is still delayed.
    await expect.poll(() => relay.status().nextAttemptMs ?? 0).toBeGreaterThan(clock.wallNow() + 8 * DAY_MS)
    const { leaf } = chainOf(await relay.dial({ servername: 'relay.test', ca }))
    expect(leaf.fingerprint256.replaceAll(':', '').toLowerCase()).toBe(after.fingerprint)
    expect(await echo('after')).toBe('after')
  })

  test('a restarted relay serves the stored certificate without any request (P-149)', async () => {
    let fingerprint: string | undefined
    {
      await using relay = await startRelay()
      await untilStatus(relay, () => hasCertificate(relay))
      fingerprint = relay.status().fingerprint
    }
    await using relay = await startRelay({ directoryUrl: pebble.directoryUrl })
    expect(relay.status()).toMatchObject({ fingerprint, nextAttemptMs: expect.any(Number) })
    expect(relay.messages()).toEqual(['certificate loaded'])
    expect(chainOf(await relay.dial({ servername: 'relay.test', ca })).leaf.subjectAltName).toBe('DNS:relay.test')
  })

  test('a certificate of another directory is served until replaced (P-149)', async () => {
    {
      await using relay = await startRelay()
      await untilStatus(relay, () => hasCertificate(relay))
    }
    const record = join(directory, 'relay.test.acme.json')
    const text = readFileSync(record, 'utf8').replace(pebble.directoryUrl, 'https://staging.test/dir')
    writeFileSync(record, text)
    await using relay = await startRelay()
    await untilStatus(relay, () => relay.status().replacements === 2)
    expect(relay.messages()).toEqual(['certificate loaded', 'certificate obtained'])
  })

  test('a refusal is logged, retried with a delay, and cleared (P-149)', async () => {
    const clock = new SkewedClock()
    await using relay = await startRelay({ clock, challengeTypes: ['http-01'], listens: ['tls'] })
    const hasFailed = (times: number) => () => relay.status().failures === times
    await untilStatus(relay, hasFailed(1))
    const first = relay.status()
    expect(first.lastError).toMatch(/^authority could not make sure of relay\.test by http-01: invalid: .*refused/s)
    expect(certificateProblem([first], clock.wallNow())).toMatch(/^no certificate for relay\.test yet: authority could/)
    const waitOf = () => (relay.status().nextAttemptMs ?? 0) - clock.wallNow()
    expect([waitOf() > 50_000, waitOf() <= 60_000]).toEqual([true, true])
    clock.advance(waitOf())
    await untilStatus(relay, hasFailed(2))
    expect([waitOf() > 110_000, waitOf() <= 120_000]).toEqual([true, true])
    expect(relay.linesOf('certificate not obtained')).toMatchObject([{ failures: 1 }, { failures: 2 }])
    await relay.listen('http')
    clock.advance(waitOf())
    await untilStatus(relay, () => hasCertificate(relay))
    expect(relay.status().lastError).toBeUndefined()
  })

  test('each failure switches to another challenge type (P-147, P-149)', async () => {
    const clock = new SkewedClock()
    await using relay = await startRelay({ clock, listens: ['http'] })
    await untilStatus(relay, () => relay.status().failures === 1)
    expect(relay.status().lastError).toMatch(/by tls-alpn-01/)
    clock.advance(61_000)
    await untilStatus(relay, () => hasCertificate(relay))
  })

  test('a rejected name does not cause more frequent requests (P-149)', async () => {
    const clock = new SkewedClock()
    await using relay = await startRelay({ hostname: 'blocked.test', clock })
    await untilStatus(relay, () => relay.status().failures === 1)
    expect(relay.status().lastError).toMatch(/blocked\.test/)
    await relay.listeners.certificates.reload()
    expect(relay.status().failures).toBe(1)
    clock.advance(60_000)
    await untilStatus(relay, () => relay.status().failures === 2)
  })

  test('an account is bound to an external account (P-147)', async () => {
    const bound = await Pebble.start({ ...ports, accounts: { 'kid-1': EAB_KEY } })
    try {
      const { directoryUrl, directoryCa } = bound
      const clock = new SkewedClock()
      const binding = { eabKeyId: 'kid-1', eabKey: EAB_KEY, email: 'ops@relay.test' }
      await using relay = await startRelay({ directoryUrl, directoryCa, clock, profile: 'default', ...binding })
      await untilStatus(relay, () => hasCertificate(relay))
      // The second time the account already exists.
      clock.advance(61 * DAY_MS)
      await untilStatus(relay, () => relay.status().replacements === 2)
      const folder = mkdtempSync(join(root, 'certs-'))
      await using other = await startRelay({ directoryUrl, directoryCa, directory: folder, listens: [] })
      await untilStatus(other, () => other.status().failures === 1)
      expect(other.status().lastError).toMatch(/externalAccountBinding/)
    } finally {
      await bound.stop()
    }
  })

  test('a relay closed during an order stops immediately (P-149)', async () => {
    const relay = await startRelay({ listens: [] })
    await relay[Symbol.asyncDispose]()
    expect(relay.status()).toMatchObject({ failures: 0, fingerprint: undefined })
    expect(relay.messages()).toEqual([])
  })
})
