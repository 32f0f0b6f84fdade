import { expect, test } from 'vitest'
import { fc } from '../../test/support/fast-check.ts'
import { addressFrom16, addressTo16, formatAddressPort, ipFamilyOf } from './address-port.ts'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

test.each([
  ['192.0.2.1', '00000000000000000000ffffc0000201', '192.0.2.1'],
  ['0.0.0.0', '00000000000000000000ffff00000000', '0.0.0.0'],
  ['::ffff:192.0.2.1', '00000000000000000000ffffc0000201', '192.0.2.1'],
  ['2001:DB8:0:0::1', '20010db8000000000000000000000001', '2001:db8::1'],
  ['fe80::1%eth0', 'fe800000000000000000000000000001', 'fe80::1'],
  ['::', '00000000000000000000000000000000', '::'],
])('addressTo16 encodes %s in 16 bytes, which addressFrom16 reads (P-071)', (address, bytes, read) => {
  const out = addressTo16(address)
  expect(hex(out)).toBe(bytes)
  expect(addressFrom16(out)).toBe(read)
})

test.each(['', 'relay.example', '[::1]', '192.0.2.1:80', '192.0.2', '1', '0x7f.0.0.1', '010.0.0.1', '1.2.3.256'])(
  'addressTo16 returns zeros for %j, which is not an address (P-071)',
  text => {
    expect(addressTo16(text)).toEqual(new Uint8Array(16))
  },
)

test('addressFrom16 writes any address as URLs do, and addressTo16 reads it back (P-071)', () => {
  const part = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff }))
  fc.assert(
    fc.property(fc.array(part, { minLength: 8, maxLength: 8 }), parts => {
      const bytes = Uint8Array.from(parts.flatMap(part => [part >> 8, part & 255]))
      const address = addressFrom16(bytes)
      expect(addressTo16(address)).toEqual(bytes)
      if (address.includes(':')) expect(new URL(`http://[${address}]/`).hostname).toBe(`[${address}]`)
    }),
  )
})

test('formatAddressPort puts IPv6 in brackets', () => {
  expect(formatAddressPort({ address: '192.0.2.1', port: 80 })).toBe('192.0.2.1:80')
  expect(formatAddressPort({ address: '::1', port: 0 })).toBe('[::1]:0')
})

test.each([
  ['192.0.2.1', 4],
  ['2001:DB8::1', 6],
  ['fe80::1%eth0', 6],
  ['fe80::1%]', undefined],
  ['fe80::1%e th0', undefined],
  ['::ffff:192.0.2.1', 6],
  ['', undefined],
  ['none', undefined],
  ['127.1', undefined],
  ['010.0.0.1', undefined],
  ['[::1]', undefined],
  ['192.0.2.1:80', undefined],
])('ipFamilyOf %j is %s (P-222)', (text, family) => {
  expect(ipFamilyOf(text)).toBe(family)
})
