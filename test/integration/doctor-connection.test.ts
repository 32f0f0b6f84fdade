import { X509Certificate } from 'node:crypto'
import { createServer as createHttpsServer } from 'node:https'
import type { Socket } from 'node:net'
import { createServer as createTlsServer, type TlsOptions } from 'node:tls'
import { beforeAll, describe, expect, test } from 'vitest'
import { nodePlatform } from '../../src/diagnose/node-platform.ts'
import type { Platform, TlsInspection } from '../../src/diagnose/platform.ts'
import { targetOfNode } from '../../src/diagnose/target.ts'
import type { CertificatePair } from '../../src/tls/x509.ts'
import { memoryConnPair } from '../../src/transport/memory-conn.ts'
import {
  clockOfNow,
  conclusionOf,
  type ExamineOptions,
  examine,
  outcomeOf,
  STEP_MS,
  systemError,
} from '../support/examination.ts'
import { ListeningRelay } from '../support/listening-relay.ts'
import { type ListeningServer, listenOnLoopback, startTcpServer } from '../support/socket-server.ts'
import { type IssueRequest, TestCa } from '../support/test-ca.ts'

const DAY_MS = 86_400_000
const NAME = { dns: ['relay.test'] }

let ca: TestCa
let stranger: TestCa
beforeAll(async () => {
  ca = await TestCa.create()
  stranger = await TestCa.create('unknown authority')
})

async function relayWith(request: IssueRequest, by = ca): Promise<ListeningRelay> {
  return ListeningRelay.start({ tls: { hostname: 'relay.test', certificate: await by.issue(request) } })
}

async function conclusion(server: ListeningRelay | ListeningServer, options: ExamineOptions = {}): Promise<string> {
  await using running = server
  return conclusionOf(await examine(`https://relay.test:${running.port}/derp`, { ca: ca.certificate, ...options }))
}

describe('DNS', () => {
  const lookupFails = (code: string) => ({ platform: { lookup: () => Promise.reject(systemError(code)) } })
  const lookupGives = (...addresses: string[]) => ({
    platform: { lookup: async (_host: string, family: number) => (family === 4 ? addresses : []) },
  })

  test.each([
    ['a name that does not exist', lookupFails('ENOTFOUND'), 'DNS: no-host'],
    ['a DNS server that does not answer', lookupFails('EAI_AGAIN'), 'DNS: dns-failed'],
    ['a name blocked by a DNS filter', lookupGives('0.0.0.0'), 'DNS: sinkholed'],
  ])('%s', async (_what, options, cause) => {
    const report = await examine('https://relay.test/derp', options)
    expect(conclusionOf(report)).toBe(cause)
    expect(report.steps.filter(({ verdict }) => verdict.status === 'failed')).toHaveLength(1)
  })
})

test('a node with both address families disabled in the map', async () => {
  const node = { Name: '900a', RegionID: 900, HostName: 'relay.test', IPv4: 'none', IPv6: 'none' }
  expect(conclusionOf(await examine(targetOfNode(node)))).toBe('DNS: no-address')
})

describe('TCP', () => {
  const tcpFails = (code: string) => ({ platform: { openTcp: () => Promise.reject(systemError(code)) } })

  test('a closed port', async () => {
    const gone = await startTcpServer(() => {})
    await gone[Symbol.asyncDispose]()
    expect(conclusionOf(await examine(`https://relay.test:${gone.port}/derp`))).toBe('TCP: refused')
  })

  test('a host without a route', async () => {
    expect(conclusionOf(await examine('https://relay.test/derp', tcpFails('EHOSTUNREACH')))).toBe('TCP: unreachable')
  })

  const silently = () => {
    const clock = clockOfNow()
    const openTcp = () => {
      setImmediate(() => clock.advance(STEP_MS))
      return new Promise<never>(() => {})
    }
    return { clock, platform: { openTcp } }
  }

  test('a port filtered by a firewall', async () => {
    const refused = { askStun: () => Promise.reject(systemError('ECONNREFUSED')) }
    const { clock, platform } = silently()
    const report = await examine('https://relay.test/derp', { clock, platform: { ...platform, ...refused } })
    expect(conclusionOf(report)).toBe('TCP: filtered')
  })

  test('a filtered TCP port while STUN responds', async () => {
    const answered = { askStun: async () => ({ address: '127.0.0.1', port: 1, rttMs: 1 }) }
    const { clock, platform } = silently()
    const report = await examine('https://relay.test/derp', { clock, platform: { ...platform, ...answered } })
    expect(conclusionOf(report)).toBe('TCP: tcp-blocked')
  })

  describe.each(['a URL', 'a map'])('no usable address, given %s', how => {
    test.each([
      [undefined, 'ECONNREFUSED', 'TCP: refused', 'tcp6'],
      [undefined, 'EHOSTUNREACH', 'TCP: unreachable', 'tcp6'],
      [undefined, 'ETIMEDOUT', 'TCP: filtered', 'tcp6'],
      [undefined, 'ENETUNREACH', 'TCP: no-ipv6', 'tcp6'],
      [undefined, 'EADDRNOTAVAIL', 'TCP: no-ipv6', 'tcp6'],
      ['ECONNREFUSED', undefined, 'TCP: refused', 'tcp4'],
      ['ECONNREFUSED', 'ENETUNREACH', 'TCP: refused', 'tcp4'],
      ['ENETUNREACH', 'ECONNREFUSED', 'TCP: unreachable', 'tcp4'],
    ] as const)('IPv4 %s, IPv6 %s', async (v4, v6, cause, id) => {
      const platform = {
        lookup: async (_host: string, family: number) => {
          if ((family === 4 ? v4 : v6) === undefined) throw systemError('ENOTFOUND')
          return [family === 4 ? '192.0.2.1' : '2001:db8::1']
        },
        openTcp: ({ address }: { address: string }) =>
          Promise.reject(systemError((address.includes(':') ? v6 : v4) ?? 'EINVAL')),
        askStun: () => Promise.reject(systemError('ECONNREFUSED')),
      }
      const node = { Name: '900a', RegionID: 900, HostName: 'relay.test' }
      const report = await examine(how === 'a map' ? targetOfNode(node) : 'https://relay.test/derp', { platform })
      expect([conclusionOf(report), outcomeOf(report, id)]).toEqual([cause, cause.replace('TCP', 'failed')])
    })
  })

  test('no listener on the only address, ::1', async () => {
    const gone = await startTcpServer(() => {})
    await gone[Symbol.asyncDispose]()
    const lookup = async (_host: string, family: number) => (family === 6 ? ['::1'] : [])
    const report = await examine(`https://relay.test:${gone.port}/derp`, { platform: { lookup } })
    expect(conclusionOf(report)).toMatch(/^TCP: (?:refused|no-ipv6)$/)
  })

  test('a dead IPv6 address is a warning if IPv4 works', async () => {
    await using relay = await ListeningRelay.start()
    const lookup = async (_host: string, family: number) => (family === 4 ? ['127.0.0.1'] : ['::1'])
    const report = await examine(`http://relay.test:${relay.port}/derp`, { platform: { lookup } })
    expect(outcomeOf(report, 'tcp6')).toMatch(/^(?:warning: refused|skipped)$/)
    expect(conclusionOf(report)).toBe('all is well')
  })
})

describe('certificates', () => {
  test.each<[string, IssueRequest, string]>([
    ['expired', { ...NAME, notAfter: new Date(Date.now() - 3_600_000) }, 'TLS: expired'],
    ['not valid yet', { ...NAME, notBefore: new Date(Date.now() + 3_600_000) }, 'TLS: not-yet-valid'],
    ['for another name', { dns: ['other.test'] }, 'TLS: wrong-name'],
    ['with only a common name', { commonName: 'relay.test' }, 'TLS: no-name'],
  ])('one %s', async (_what, request, cause) => {
    expect(await conclusion(await relayWith({ notAfter: new Date(Date.now() + 30 * DAY_MS), ...request }))).toBe(cause)
  })

  test('one from a private CA', async () => {
    expect(await conclusion(await relayWith(NAME, stranger))).toBe('TLS: untrusted')
  })

  test('one without its intermediate certificates', async () => {
    const request = { ...NAME, issuerUrl: 'http://authority.test/intermediate.der' }
    expect(await conclusion(await relayWith(request, stranger))).toBe('TLS: incomplete-chain')
  })

  test('one issued by a TLS inspection proxy', async () => {
    const proxy = await TestCa.create('Zscaler Intermediate Root CA')
    expect(await conclusion(await relayWith(NAME, proxy))).toBe('TLS: intercepted')
  })

  test('one with a short key', async () => {
    const { certificate: cert, key } = await ca.issue({ ...NAME, rsaBits: 1024 })
    const server = await listenOnLoopback(createHttpsServer({ cert, key, ciphers: 'DEFAULT@SECLEVEL=0' }))
    expect(await conclusion(server)).toBe('TLS: weak-key')
  })

  test('one that is self-signed', async () => {
    const { TLS_CERT: cert, TLS_KEY: key } = await import('../support/tls-fixture.ts')
    await using server = await listenOnLoopback(createHttpsServer({ cert, key }))
    const pin = new X509Certificate(cert).fingerprint256.replaceAll(':', '').toLowerCase()
    const report = await examine(`https://127.0.0.1:${server.port}/derp`)
    expect(report.conclusion).toMatchObject({ cause: { id: 'self-signed' }, detail: `sha256-raw:${pin}` })
    // Bun has no code of its own for it.
    const { inspectTls } = nodePlatform()
    const asOnBun: Platform['inspectTls'] = async (...args) => {
      const inspection = await inspectTls?.(...args)
      return { ...(inspection as TlsInspection), chainError: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' }
    }
    const onBun = await examine(`https://127.0.0.1:${server.port}/derp`, { platform: { inspectTls: asOnBun } })
    expect(conclusionOf(onBun)).toBe('TLS: self-signed')
  })

  test('a wrong local clock, by comparison with the server', async () => {
    const clock = clockOfNow()
    clock.advance(3 * 365 * DAY_MS)
    expect(await conclusion(await relayWith(NAME), { clock })).toBe('TLS: clock-off')
  })

  test('a certificate other than the pinned one', async () => {
    expect(await conclusion(await relayWith(NAME), { pin: '0'.repeat(64) })).toBe('TLS: wrong-pin')
  })

  test('a pinned certificate with a chain', async () => {
    const { certificate, key } = await ca.issue(NAME)
    const pin = new X509Certificate(certificate).fingerprint256.replaceAll(':', '').toLowerCase()
    const server = await listenOnLoopback(createHttpsServer({ cert: `${certificate}${ca.certificate}`, key }))
    expect(await conclusion(server, { pin })).toBe('TLS: pin-with-chain')
  })

  test('none at all', async () => {
    const shown = { version: 'TLSv1.2', certificates: [], chainError: undefined, namesIssuer: false, hasWeakKey: false }
    const [conn] = memoryConnPair()
    const inspectTls = async () => ({ ...shown, isValidFor: () => false, serverKey: undefined, conn })
    expect(await conclusion(await relayWith(NAME), { platform: { inspectTls } })).toBe('TLS: no-certificate')
  })

  test('one that expires within a week is a warning', async () => {
    await using relay = await relayWith({ ...NAME, notAfter: new Date(Date.now() + 3 * DAY_MS) })
    const report = await examine(`https://relay.test:${relay.port}/derp`, { ca: ca.certificate })
    expect([outcomeOf(report, 'tls'), conclusionOf(report)]).toEqual(['warning: expires-soon', 'all is well'])
  })
})

describe('the TLS port', () => {
  let good: CertificatePair
  beforeAll(async () => {
    good = await ca.issue({ ...NAME, notAfter: new Date(Date.now() + 30 * DAY_MS) })
  })
  const tlsServer = (options: TlsOptions) =>
    listenOnLoopback(
      createTlsServer({ cert: good.certificate, key: good.key, ...options }).on('tlsClientError', () => {}),
    )

  test('a relay without TLS', async () => {
    expect(await conclusion(await ListeningRelay.start())).toBe('TLS: plain-http')
  })

  test('SSH', async () => {
    const server = await startTcpServer(socket => socket.write('SSH-2.0-OpenSSH_9.9\r\n'))
    expect(await conclusion(server)).toBe('TLS: other-protocol')
  })

  test('no response', async () => {
    const clock = clockOfNow()
    const server = await startTcpServer(socket => socket.once('data', () => clock.advance(STEP_MS)))
    expect(await conclusion(server, { clock })).toBe('TLS: tls-silent')
  })

  test.each([
    ['closes', (socket: Socket) => socket.end()],
    ['resets', (socket: Socket) => socket.resetAndDestroy()],
  ])('something that %s connections when it sees the name', async (_what, end) => {
    expect(await conclusion(await startTcpServer(socket => socket.once('data', () => end(socket))))).toBe(
      'TLS: tls-closed',
    )
  })

  test('only old TLS versions', async () => {
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const
    expect(await conclusion(await tlsServer(old))).toBe('TLS: tls-version')
  })

  test('no common cipher', async () => {
    const odd = { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES256-CCM8' } as const
    expect(await conclusion(await tlsServer(odd))).toBe('TLS: tls-refused')
  })

  test('required client certificates', async () => {
    const server = await tlsServer({ requestCert: true, rejectUnauthorized: true, ca: ca.certificate })
    expect(await conclusion(server)).toBe('TLS: client-certificate')
  })

  test('an http URL for a TLS port', async () => {
    await using relay = await relayWith(NAME)
    expect(conclusionOf(await examine(`http://relay.test:${relay.port}/derp`))).toMatch(/^TLS: http-to-tls$/)
  })
})
