import { expect, test } from 'vitest'
import { CidrList } from './cidr-list.ts'
import { readForwardedFor } from './forwarded-for.ts'

const PROXIES = new CidrList(['127.0.0.1', '10.0.0.0/8', 'fd00::/8'])

test.each([
  ['192.0.2.1', '192.0.2.1', 0],
  ['2001:db8::1', '2001:db8::1', 0],
  ['192.0.2.1:4711', '192.0.2.1', 4711],
  ['192.0.2.1:65535', '192.0.2.1', 65_535],
  ['[2001:db8::1]', '2001:db8::1', 0],
  ['[2001:db8::1]:443', '2001:db8::1', 443],
  // Anything forged by the client is on the left.
  ['127.0.0.1, 192.0.2.1', '192.0.2.1', 0],
  ['127.0.0.1,192.0.2.9,192.0.2.1 , 10.0.0.5,fd00::1', '192.0.2.1', 0],
  ['unknown, 192.0.2.1, 10.1.1.1', '192.0.2.1', 0],
  // Only proxies: the first of them sent the request.
  ['10.0.0.7, 10.0.0.5', '10.0.0.7', 0],
  ['127.0.0.1', '127.0.0.1', 0],
])('readForwardedFor of "%s" is %s, port %i (P-125)', (header, address, port) => {
  expect(readForwardedFor(header, PROXIES)).toEqual({ address, port })
})

test.each(['', ',', 'unknown', '_hidden', '192.0.2.1, ', '192.0.2.1, unknown, 10.0.0.1', '192.0.2.1:65536', '1.2.3'])(
  'readForwardedFor of "%s" names no client (P-125)',
  header => {
    expect(readForwardedFor(header, PROXIES)).toBeUndefined()
  },
)
