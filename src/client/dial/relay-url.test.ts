import { expect, test } from 'vitest'
import { endpointOfUrl, formatRelayUrl, hostOf, parseRelayUrl, portOf } from './relay-url.ts'

test.each([
  ['http://relay.test/derp', 'relay.test', 80],
  ['https://relay.test/derp', 'relay.test', 443],
  ['https://relay.test:443/derp', 'relay.test', 443],
  ['http://relay.test:3340/derp', 'relay.test', 3340],
  ['http://[::1]:3340/derp', '::1', 3340],
  ['https://192.0.2.1/derp?x=1', '192.0.2.1', 443],
])('parseRelayUrl gives host and port of %s (P-200)', (text, host, port) => {
  const url = parseRelayUrl(text)
  expect([hostOf(url), portOf(url)]).toEqual([host, port])
})

test.each([
  ['', 'read relay URL "": not a URL such as https://relay.example/derp'],
  [undefined as unknown as string, 'read relay URL undefined: not a URL such as https://relay.example/derp'],
  ['relay.test/derp', 'read relay URL "relay.test/derp": not a URL such as https://relay.example/derp'],
  ['ftp://relay.test/derp', 'read relay URL "ftp://relay.test/derp": starts with ftp:, not http:// or https://'],
  ['wss://relay.test:443/derp', 'read relay URL "wss://relay.test/derp": starts with wss:, not http:// or https://'],
  ['http://', 'read relay URL "http://": not a URL such as https://relay.example/derp'],
  [
    'http://relay.test:99999/',
    'read relay URL "http://relay.test:99999/": not a URL such as https://relay.example/derp',
  ],
])('parseRelayUrl refuses %j (P-200)', (text, message) => {
  expect(() => parseRelayUrl(text)).toThrow(expect.objectContaining({ code: 'ERR_DERP_URL_INVALID', message }))
})

test('parseRelayUrl copies a URL, so that the caller may modify it', () => {
  const own = new URL('http://relay.test/derp')
  const url = parseRelayUrl(own)
  own.hostname = 'other.test'
  expect(url.href).toBe('http://relay.test/derp')
})

test('formatRelayUrl shows no password', () => {
  const url = parseRelayUrl('https://user:secret@relay.test/derp')
  expect(formatRelayUrl(url)).toBe('https://relay.test/derp')
  expect(url.password).toBe('secret')
  expect(() => parseRelayUrl('ftp://user:secret@relay.test/')).toThrow(/"ftp:\/\/relay.test\/"/)
})

test('formatRelayUrl shows neither password nor token', () => {
  const url = new URL('https://user:secret@relay.test/derp?a=1&token=secret')
  expect(formatRelayUrl(url)).toBe('https://relay.test/derp?a=1&token=hidden')
  expect(url.search).toBe('?a=1&token=secret')
  expect(formatRelayUrl(new URL('https://relay.test/derp?token=secret'))).not.toContain('secret')
})

test.each([
  ['https://relay.test/derp', 'relay.test', 443, 'dns', 'dns'],
  ['http://192.0.2.1:8080/derp', '192.0.2.1', 8080, 'map', 'nowhere'],
  ['https://[2001:db8::1]/derp', '2001:db8::1', 443, 'nowhere', 'map'],
])('endpointOfUrl of %s is %s at %i, IPv4 from %s and IPv6 from %s (P-200, P-222)', (text, host, port, v4, v6) => {
  const url = new URL(text)
  expect(endpointOfUrl(url)).toMatchObject({
    host,
    port,
    addresses: { 4: { from: v4 }, 6: { from: v6 } },
    url,
    serverName: host,
    certificate: { kind: 'name', name: host },
  })
})

test('endpointOfUrl accepts another server name, and strips a trailing dot (P-144)', () => {
  expect(endpointOfUrl(new URL('https://relay.test./derp')).serverName).toBe('relay.test')
  expect(endpointOfUrl(new URL('https://relay.test/derp'), { serverName: 'front.test' })).toMatchObject({
    host: 'relay.test',
    serverName: 'front.test',
    certificate: { name: 'front.test' },
  })
})
