import { expect, test } from 'vitest'
import { sourcePrefix } from './source-prefix.ts'

test('sourcePrefix is the same for one IPv4 address, however it is written, and for one /64 of IPv6 (P-109)', () => {
  expect(sourcePrefix('192.0.2.1')).toBe(sourcePrefix('::ffff:192.0.2.1'))
  expect(sourcePrefix('192.0.2.1')).not.toBe(sourcePrefix('192.0.2.2'))
  expect(sourcePrefix('2001:db8:1:2::1')).toBe(sourcePrefix('2001:db8:1:2:ffff:ffff:ffff:ffff'))
  expect(sourcePrefix('2001:db8:1:2::1')).not.toBe(sourcePrefix('2001:db8:1:3::1'))
  expect(sourcePrefix('fe80::1%eth0')).toBe(sourcePrefix('fe80::2'))
})
