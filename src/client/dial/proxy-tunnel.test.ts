import { expect, test } from 'vitest'
import { decodeUtf8, encodeUtf8 } from '../../lib/bytes.ts'
import { formatConnectRequest, ProxyRefusedError, TunnelResponse, tunnelTarget } from './proxy-tunnel.ts'

const PROXY = new URL('http://proxy.test:3128')
const answerTo = () => new TunnelResponse(new URL('http://me:secret@proxy.test:3128'), 'relay.test:443')

test('formatConnectRequest requests a target, with credentials if the proxy’s URL has them (P-224)', () => {
  const request = (proxy: URL | string) => decodeUtf8(formatConnectRequest(new URL(proxy), 'relay.test:8443'))
  expect(request(PROXY)).toBe('CONNECT relay.test:8443 HTTP/1.1\r\nHost: relay.test:8443\r\n\r\n')
  const credentials = (proxy: string) => /Proxy-Authorization: Basic (\S+)\r\n/.exec(request(proxy))?.[1]
  expect(atob(credentials('http://me:a%20b%3Ac@proxy.test') ?? '')).toBe('me:a b:c')
  expect(atob(credentials('http://token@proxy.test') ?? '')).toBe('token:')
  expect(atob(credentials('http://me:50%@proxy.test') ?? '')).toBe('me:50%')
  expect(Buffer.from(credentials('http://jos%C3%A9:x@proxy.test') ?? '', 'base64').toString()).toBe('josé:x')
})

test('tunnelTarget puts IPv6 into brackets (P-224)', () => {
  expect(tunnelTarget('relay.test', 443)).toBe('relay.test:443')
  expect(tunnelTarget('2001:db8::1', 443)).toBe('[2001:db8::1]:443')
})

test('TunnelResponse returns what follows a 200, even byte by byte (P-224)', () => {
  const bytes = encodeUtf8('HTTP/1.0 200 Connection established\r\nX: y\r\n\r\nrest')
  expect(decodeUtf8(answerTo().push(bytes) ?? new Uint8Array(0))).toBe('rest')
  const answer = answerTo()
  const rests = [...bytes].map(byte => answer.push(Uint8Array.of(byte))).filter(rest => rest !== undefined)
  expect(rests[0]).toHaveLength(0)
})

test.each([
  [
    407,
    'connect to relay.test:443 by proxy http://proxy.test:3128/: refused with status 407: other credentials required',
  ],
  [502, 'connect to relay.test:443 by proxy http://proxy.test:3128/: refused with status 502'],
  [204, 'connect to relay.test:443 by proxy http://proxy.test:3128/: refused with status 204'],
])('TunnelResponse refuses status %i without waiting for a body, and shows no password (P-224)', (status, message) => {
  const head = encodeUtf8(`HTTP/1.1 ${status} X\r\nContent-Length: 10\r\n\r\n`)
  expect(() => answerTo().push(head)).toThrow(
    expect.objectContaining({ name: ProxyRefusedError.name, code: 'ERR_DERP_PROXY_REFUSED', status, message }),
  )
})

test('TunnelResponse rejects non-HTTP, an endless head, and an early end (P-224)', () => {
  const failure = (reason: string) =>
    expect.objectContaining({
      code: 'ERR_DERP_PROXY_FAILED',
      message: `connect to relay.test:443 by proxy http://proxy.test:3128/: ${reason}`,
    })
  expect(() => answerTo().push(Uint8Array.of(5, 0))).toThrow(failure('not an HTTP response'))
  expect(() => answerTo().push(encodeUtf8(`HTTP/1.1 200 OK\r\n${'X: y\r\n'.repeat(3_000)}`))).toThrow(
    failure('head is longer than 16384 bytes'),
  )
  expect(() => answerTo().end()).toThrow(failure('connection closed before its response'))
})
