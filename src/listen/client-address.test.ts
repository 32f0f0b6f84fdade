import { expect, test } from 'vitest'
import { CidrList } from './cidr-list.ts'
import { clientAddress, originReader } from './client-address.ts'

const PROXY = { address: '10.0.0.1', port: 4_000 }
const OTHER = { address: '192.0.2.9', port: 5_000 }
const read = originReader(new CidrList(['10.0.0.0/8']))
const forwardedFor = (...values: string[]) => ({ 'x-forwarded-for': values })

test('a trusted proxy names the client, also in several headers (P-125)', () => {
  const origin = { isCertain: true, isProxied: true }
  const named = { ...origin, client: { address: '192.0.2.1', port: 0 } }
  expect(read({ remote: PROXY, headers: forwardedFor('192.0.2.1') })).toEqual(named)
  expect(read({ remote: PROXY, headers: forwardedFor('192.0.2.7', '192.0.2.1, 10.0.0.2') })).toEqual(named)
})

test('a client that a trusted proxy does not name gets no access by address (P-125)', () => {
  const origin = { client: PROXY, isCertain: false, isProxied: true }
  for (const headers of [{}, forwardedFor('unknown')]) expect(read({ remote: PROXY, headers })).toEqual(origin)
})

test('an untrusted peer is taken as the client, and gets no access by address if it forwards (P-125)', () => {
  for (const reader of [read, originReader()]) {
    const direct = { client: OTHER, isCertain: true, isProxied: false }
    expect(reader({ remote: OTHER, headers: {} })).toEqual(direct)
    expect(reader({ remote: OTHER, headers: forwardedFor('127.0.0.1') })).toEqual({ ...direct, isCertain: false })
  }
})

test('a connection that is gone has no client (P-125)', () => {
  const origin = read({ remote: undefined, headers: {} })
  expect(origin).toEqual({ client: undefined, isCertain: true, isProxied: false })
  expect(clientAddress(origin)).toBeUndefined()
})

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['::FFFF:192.0.2.1', '192.0.2.1'],
  ['::ffff:c000:201', '::ffff:c000:201'],
  ['64:ff9b::ffff:192.0.2.1', '64:ff9b::ffff:192.0.2.1'],
  ['2001:db8::1', '2001:db8::1'],
])('the client address of %s is %s', (address, text) => {
  expect(clientAddress({ client: { address, port: 1 } })).toBe(text)
})
