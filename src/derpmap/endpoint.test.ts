import { expect, test } from 'vitest'
import { fc } from '../../test/support/fast-check.ts'
import { formatNode, resolveEndpoint } from './endpoint.ts'
import type { DERPNode } from './types.ts'

const node = (fields: Partial<DERPNode> = {}): DERPNode => ({
  Name: '1a',
  RegionID: 1,
  HostName: 'relay.test',
  ...fields,
})
const PIN = 'ab'.repeat(32)

test('resolveEndpoint of a bare node: its host at 443, addresses from DNS (P-222, P-223)', () => {
  expect(resolveEndpoint(node())).toEqual({
    host: 'relay.test',
    port: 443,
    addresses: { 4: { from: 'dns' }, 6: { from: 'dns' } },
    url: new URL('https://relay.test/derp'),
    serverName: 'relay.test',
    certificate: { kind: 'name', name: 'relay.test' },
  })
})

test.each([
  [{}, false, 443, 'https://relay.test/derp'],
  [{ DERPPort: 0 }, false, 443, 'https://relay.test/derp'],
  [{ DERPPort: 8443 }, false, 8443, 'https://relay.test:8443/derp'],
  [{}, true, 3340, 'http://relay.test:3340/derp'],
  [{ DERPPort: 80 }, true, 80, 'http://relay.test/derp'],
  [{ DERPPort: 8443 }, true, 8443, 'http://relay.test:8443/derp'],
  [{ HostName: '::1', DERPPort: 1 }, false, 1, 'https://[::1]:1/derp'],
])('resolveEndpoint of %j, useHttp %j: port %i, request for %s (P-223)', (fields, useHttp, port, url) => {
  expect(resolveEndpoint(node(fields), { useHttp })).toMatchObject({ port, url: { href: url } })
})

test('resolveEndpoint puts DERPPort into everything that has a port (P-223)', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 65_535 }), fc.boolean(), (DERPPort, useHttp) => {
      const { port, url } = resolveEndpoint(node({ DERPPort }), { useHttp })
      expect(port).toBe(DERPPort)
      expect(url.port).toBe(DERPPort === (useHttp ? 80 : 443) ? '' : String(DERPPort))
    }),
  )
})

const DNS = { from: 'dns' }
const NOWHERE = { from: 'nowhere' }
const map = (address: string) => ({ from: 'map', address })

test.each<[Partial<DERPNode>, object, object]>([
  [{ IPv4: '', IPv6: '' }, DNS, DNS],
  [{ IPv4: '192.0.2.1' }, map('192.0.2.1'), DNS],
  [{ IPv6: '2001:db8::1' }, DNS, map('2001:db8::1')],
  [{ IPv4: 'none', IPv6: 'none' }, NOWHERE, NOWHERE],
  [{ IPv4: '2001:db8::1', IPv6: '192.0.2.1' }, NOWHERE, NOWHERE],
  [{ IPv4: 'other.test', IPv6: '127.1' }, NOWHERE, NOWHERE],
  [{ HostName: '192.0.2.7' }, map('192.0.2.7'), NOWHERE],
  [{ HostName: '2001:db8::7' }, NOWHERE, map('2001:db8::7')],
  [{ HostName: '192.0.2.7', IPv4: 'none', IPv6: '2001:db8::1' }, NOWHERE, map('2001:db8::1')],
])('resolveEndpoint of %j takes IPv4 %j and IPv6 %j (P-222)', (fields, v4, v6) => {
  expect(resolveEndpoint(node(fields)).addresses).toEqual({ 4: v4, 6: v6 })
})

test.each<[Partial<DERPNode>, string, object]>([
  [{}, 'relay.test', { kind: 'name', name: 'relay.test' }],
  [{ HostName: 'relay.test.' }, 'relay.test', { kind: 'name', name: 'relay.test' }],
  [{ CertName: 'front.test' }, 'relay.test', { kind: 'name', name: 'front.test' }],
  [{ InsecureForTests: true }, 'relay.test', { kind: 'any' }],
  [{ InsecureForTests: true, CertName: 'relay.test' }, 'relay.test', { kind: 'any' }],
  [{ InsecureForTests: true, CertName: 'front.test' }, 'relay.test', { kind: 'name', name: 'front.test' }],
  [{ CertName: `sha256-raw:${PIN}` }, 'relay.test', { kind: 'pin', sha256: PIN, name: 'relay.test' }],
  [
    { CertName: `sha256-raw:${PIN.toUpperCase()}`, InsecureForTests: true, HostName: '192.0.2.1' },
    '192.0.2.1',
    { kind: 'pin', sha256: PIN, name: '192.0.2.1' },
  ],
])(
  'resolveEndpoint of %j sends server name %s and requires the certificate %j (P-144)',
  (fields, serverName, certificate) => {
    expect(resolveEndpoint(node(fields))).toMatchObject({ serverName, certificate })
  },
)

test.each<[Partial<DERPNode>, string]>([
  [{ HostName: '' }, 'reach node 1a (): HostName "": not a host'],
  [{ HostName: 'a b' }, 'reach node 1a (a b): HostName "a b": not a host'],
  [
    { HostName: 'relay.test:8443' },
    'reach node 1a (relay.test:8443): HostName "relay.test:8443": not a host; write the port in DERPPort',
  ],
  [{ HostName: 'me@relay.test' }, 'reach node 1a (me@relay.test): HostName "me@relay.test": not a host'],
  [{ HostName: 'relay.test/x' }, 'reach node 1a (relay.test/x): HostName "relay.test/x": not a host'],
  [{ HostName: 'fe80::1%eth0' }, 'reach node 1a (fe80::1%eth0): HostName "fe80::1%eth0": not a host'],
  [{ DERPPort: -1 }, 'reach node 1a (relay.test): DERPPort -1: not a port'],
  [{ DERPPort: 65_536 }, 'reach node 1a (relay.test): DERPPort 65536: not a port'],
  [
    { CertName: 'sha256-raw:abc' },
    'reach node 1a (relay.test): CertName "sha256-raw:abc": not the hex SHA-256 of a certificate',
  ],
])('resolveEndpoint refuses %j', (fields, message) => {
  expect(() => resolveEndpoint(node(fields))).toThrow(
    expect.objectContaining({ code: 'ERR_DERP_NODE_INVALID', message }),
  )
})

test('formatNode uses the host for a node without a name', () => {
  expect(formatNode(node({ Name: '' }))).toBe('node relay.test')
})
