import { expect, test } from 'vitest'
import { decodeUtf8 } from '../../lib/bytes.ts'
import { formatUpgradeRequest } from './upgrade-request.ts'

test('formatUpgradeRequest requests an upgrade to DERP (P-120)', () => {
  expect(decodeUtf8(formatUpgradeRequest(new URL('http://relay.test:3340/derp?region=1#part')))).toBe(
    'GET /derp?region=1 HTTP/1.1\r\n' +
      'Host: relay.test:3340\r\n' +
      'User-Agent: derphttp\r\n' +
      'Connection: Upgrade\r\n' +
      'Upgrade: DERP\r\n' +
      '\r\n',
  )
})

test('formatUpgradeRequest adds the headers given (P-123)', () => {
  const text = decodeUtf8(formatUpgradeRequest(new URL('https://[::1]/derp'), { 'Ideal-Node': '1a' }))
  expect(text).toContain('\r\nHost: [::1]\r\n')
  expect(text.endsWith('\r\nIdeal-Node: 1a\r\n\r\n')).toBe(true)
})

test.each(['a\r\nX: y', 'a\n', 'é', '\0'])('formatUpgradeRequest rejects the header value %j', value => {
  expect(() => formatUpgradeRequest(new URL('http://relay.test/'), { 'Ideal-Node': value })).toThrow(TypeError)
})
