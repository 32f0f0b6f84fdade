import { expect, test } from 'vitest'
import { httpRequest } from '../../../test/support/http-request.ts'
import type { HttpRequest } from '../../listen/http-service.ts'
import { debugAccess, isTrustedAddress } from './debug-access.ts'

interface RequestOptions {
  readonly from?: string | undefined
  readonly method?: string
  readonly url?: string
  readonly headers?: Record<string, string>
}

function request({ from, method = 'GET', url = '/debug/', headers = {} }: RequestOptions): HttpRequest {
  return httpRequest({ method, target: url, headers, from })
}

test.each([
  ['127.0.0.1', true],
  ['127.255.3.4', true],
  ['128.0.0.1', false],
  ['::1', true],
  ['::2', false],
  ['100.63.255.255', false],
  ['100.64.0.0', true],
  ['100.127.255.255', true],
  ['100.128.0.0', false],
  ['100.115.91.255', true],
  ['100.115.92.0', false],
  ['100.115.93.255', false],
  ['100.115.94.0', true],
  ['fd7a:115c:a1e0::', true],
  ['fd7a:115c:a1e0:ffff:ffff:ffff:ffff:ffff', true],
  ['fd7a:115c:a1e1::', false],
  ['192.168.1.1', false],
  ['10.0.0.1', false],
  ['localhost', false],
  ['', false],
])('isTrustedAddress of %s is %s (P-190)', (address, wanted) => {
  expect(isTrustedAddress(address)).toBe(wanted)
})

test('debugAccess recognizes IPv4-mapped addresses, and refuses requests without an address (P-190)', () => {
  const allows = debugAccess()
  expect(allows(request({ from: '::ffff:127.0.0.1' }))).toBe(true)
  expect(allows(request({ from: '::ffff:100.115.92.7' }))).toBe(false)
  expect(allows(request({ from: '::ffff:192.0.2.1' }))).toBe(false)
  expect(allows(request({ from: undefined }))).toBe(false)
})

test('debugAccess refuses forwarded requests, even from loopback and for any header value (P-190)', () => {
  const allows = debugAccess({ allowAddress: '192.0.2.1' })
  for (const from of ['127.0.0.1', '100.64.0.1', '192.0.2.1']) {
    expect(allows(request({ from }))).toBe(true)
    expect(allows(request({ from, headers: { 'x-forwarded-for': '127.0.0.1' } }))).toBe(false)
    expect(allows(request({ from, headers: { 'x-forwarded-for': '' } }))).toBe(true)
  }
  expect(allows(request({ from: '192.0.2.2' }))).toBe(false)
  expect(
    allows(request({ from: '192.0.2.2', headers: { 'x-real-ip': '127.0.0.1', forwarded: 'for=127.0.0.1' } })),
  ).toBe(false)
})

test('debugAccess accepts a GET with the key from any address, if a key is set (P-190)', () => {
  let key: string | undefined = 's3cret & more'
  const allows = debugAccess({ readKey: () => key })
  const url = `/debug/vars?x=?&debugkey=${encodeURIComponent(key)}`
  const headers = { 'x-forwarded-for': '192.0.2.1' }
  expect(allows(request({ from: '192.0.2.1', url, headers }))).toBe(true)
  expect(allows(request({ from: '192.0.2.1', url, method: 'POST' }))).toBe(false)
  expect(allows(request({ from: '192.0.2.1', url: '/debug/vars?debugkey=s3cret' }))).toBe(false)
  expect(allows(request({ from: '192.0.2.1', url: '/debug/vars?debugkey=' }))).toBe(false)
  key = 'changed'
  expect(allows(request({ from: '192.0.2.1', url }))).toBe(false)
  for (key of ['', undefined]) expect(allows(request({ from: '192.0.2.1', url: '/debug/?debugkey=' }))).toBe(false)
})
