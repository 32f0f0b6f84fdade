import { expect, test } from 'vitest'
import { fc } from '../../test/support/fast-check.ts'
import { addressTo16 } from '../lib/address-port.ts'
import { MAX_BINARY_HEADER, readProxyHeader } from './proxy-header.ts'

const SIGNATURE = '0d0a0d0a000d0a515549540a'
const TCP4 = 'c0000201 c6336402 1267 01bb'
const TCP6 = '20010db8000000000000000000000001 20010db8000000000000000000000002 1267 01bb'

const text = (line: string) => Buffer.from(`${line}\r\n`, 'latin1')

/** A binary header: version and command, family and protocol, addresses, extensions. */
function binary(command: string, family: string, rest: string, length?: number): Buffer {
  const body = Buffer.from(rest.replaceAll(' ', ''), 'hex')
  const size = (length ?? body.length).toString(16).padStart(4, '0')
  return Buffer.concat([Buffer.from(`${SIGNATURE}${command}${family}${size}`, 'hex'), body])
}

const V4 = { address: '192.0.2.1', port: 4711 }
const V6 = { address: '2001:db8::1', port: 4711 }

test.each([
  ['IPv4 in text', text('PROXY TCP4 192.0.2.1 198.51.100.2 4711 443'), 1, V4],
  ['the highest ports in text', text('PROXY TCP4 192.0.2.1 198.51.100.2 65535 65535'), 1, { ...V4, port: 65_535 }],
  ['IPv6 in text', text('PROXY TCP6 2001:db8::1 2001:db8::2 4711 443'), 1, V6],
  ['nobody in text', text('PROXY UNKNOWN'), 1, undefined],
  ['nobody in text, with remarks', text('PROXY UNKNOWN ffff::1 ffff::2 1 2'), 1, undefined],
  ['IPv4', binary('21', '11', TCP4), 2, V4],
  ['IPv6', binary('21', '21', TCP6), 2, V6],
  ['IPv4 and remarks', binary('21', '11', `${TCP4} 04 0003 aabbcc`), 2, V4],
  ['IPv4 and remarks up to the bound', binary('21', '11', `${TCP4}${'00'.repeat(MAX_BINARY_HEADER - 28)}`), 2, V4],
  ['the proxy itself', binary('20', '00', ''), 2, undefined],
  ['the proxy itself, with addresses', binary('20', '11', TCP4), 2, undefined],
  ['nobody', binary('21', '00', ''), 2, undefined],
  ['datagrams', binary('21', '12', TCP4), 2, undefined],
  ['a socket file', binary('21', '31', '00'.repeat(216)), 2, undefined],
] as const)(
  'readProxyHeader reads a header of %s, and not the bytes after it (P-126)',
  (_, header, version, source) => {
    const found = { version, length: header.length, source }
    expect(readProxyHeader(header)).toEqual(found)
    expect(readProxyHeader(Buffer.concat([header, Buffer.from([0x16, 3, 1])]))).toEqual(found)
    for (let length = 0; length < header.length; length++) {
      expect(readProxyHeader(header.subarray(0, length)), `after ${length} bytes`).toBe('incomplete')
    }
  },
)

test.each([
  'PROXY TCP4 192.0.2.1 198.51.100.2 4711',
  'PROXY TCP4 192.0.2.1 198.51.100.2 4711 443 1',
  'PROXY TCP4 192.0.2.1 198.51.100.2 4711 65536',
  'PROXY TCP4 192.0.2.1 198.51.100.2 65536 443',
  'PROXY TCP4 192.0.2.1 198.51.100.2 -1 443',
  'PROXY TCP4 2001:db8::1 2001:db8::2 4711 443',
  'PROXY TCP6 192.0.2.1 198.51.100.2 4711 443',
  'PROXY TCP6 2001:db8::1 198.51.100.2 4711 443',
  'PROXY TCP4 relay.test 198.51.100.2 4711 443',
  'PROXY TCP4  192.0.2.1 198.51.100.2 4711 443',
  'PROXY tcp4 192.0.2.1 198.51.100.2 4711 443',
  'PROXY PROXY TCP4 192.0.2.1 198.51.100.2 4711 443',
  'PROXY UNKNOWNX',
  'PROXY PROXY UNKNOWN',
  'PROXY ',
])('readProxyHeader rejects "%s" (P-126)', line => {
  expect(readProxyHeader(text(line))).toBe('malformed')
})

test('readProxyHeader rejects a text header of 107 bytes without an end (P-126)', () => {
  const longest = `PROXY UNKNOWN ${'x'.repeat(91)}`
  expect(readProxyHeader(text(longest))).toMatchObject({ length: 107 })
  expect(readProxyHeader(text(`${longest}x`))).toBe('malformed')
  expect(readProxyHeader(Buffer.from(`${longest}x`))).toBe('incomplete')
  expect(readProxyHeader(Buffer.from(`${longest}xx`))).toBe('malformed')
})

test.each([
  ['another version', binary('11', '11', TCP4)],
  ['another command', binary('22', '11', TCP4)],
  ['too short for its IPv4 addresses', binary('21', '11', TCP4.slice(0, -2))],
  ['too short for its IPv6 addresses', binary('21', '21', TCP4)],
  ['longer than 4,096 bytes, told by its first 16', binary('21', '11', '', MAX_BINARY_HEADER - 15)],
])('readProxyHeader refuses a binary header of %s (P-126)', (_, header) => {
  expect(readProxyHeader(header)).toBe('malformed')
})

test.each(['GET / HTTP/1.1\r\n', 'PRI * HTTP/2.0', '\r\n\r\n\0\r\nQUIT\r', '\x16\x03\x01', 'proxy '])(
  'readProxyHeader rejects %j at the first byte that differs (P-127)',
  begin => {
    expect(readProxyHeader(Buffer.from(begin, 'latin1'))).toBe('missing')
  },
)

test('readProxyHeader finds the address in any IPv6 header, and never throws (P-126)', () => {
  const address = fc.oneof(fc.ipV6(), fc.ipV4())
  fc.assert(
    fc.property(address, fc.nat(65_535), (source, port) => {
      const bytes = Buffer.from(addressTo16(source))
      const header = binary(
        '21',
        '21',
        `${bytes.toString('hex')}${'00'.repeat(16)}${port.toString(16).padStart(4, '0')}0050`,
      )
      const found = readProxyHeader(header)
      expect(found).toMatchObject({ source: { port } })
      if (typeof found === 'object') expect(addressTo16(found.source?.address ?? '')).toEqual(addressTo16(source))
    }),
  )
  fc.assert(
    fc.property(
      fc.constantFrom('PROXY ', 'PROXY TCP4 ', Buffer.from(SIGNATURE, 'hex')),
      fc.uint8Array(),
      (begin, rest) => {
        const bytes = Buffer.concat([Buffer.from(begin as string, 'latin1'), rest])
        expect(['object', 'string']).toContain(typeof readProxyHeader(bytes))
      },
    ),
  )
})
