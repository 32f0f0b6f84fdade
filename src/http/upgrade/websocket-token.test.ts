import { expect, test } from 'vitest'
import { httpRequest } from '../../../test/support/http-request.ts'
import { webSocketToken } from './websocket-token.ts'

const tokenOf = (target: string, headers: Record<string, string> = {}) =>
  webSocketToken(httpRequest({ target, headers }))

test.each([
  ['/derp', 'derp', undefined],
  ['/derp', 'derp, bearer.abc', 'abc'],
  ['/derp', 'bearer.a.b-c,derp', 'a.b-c'],
  ['/derp', 'derp, bearer.a%2Fb%3D%3D', 'a/b=='],
  ['/derp', 'derp, bearer.', undefined],
  ['/derp', 'derp, bearer.%zz', undefined],
  ['/derp', 'derp, Bearer.abc', undefined],
  ['/derp?token=abc', 'derp', 'abc'],
  ['/derp?token=a%2Fb', 'derp', 'a/b'],
  ['/derp?token=', 'derp', undefined],
  ['/derp?token=abc', 'derp, bearer.xyz', 'xyz'],
])('webSocketToken of %s with %s is %s (P-155)', (target, offered, token) => {
  expect(tokenOf(target, { 'sec-websocket-protocol': offered })).toBe(token)
})

test('webSocketToken prefers the header (P-155)', () => {
  const headers = { authorization: 'Bearer one', 'sec-websocket-protocol': 'derp, bearer.two' }
  expect(tokenOf('/derp?token=three', headers)).toBe('one')
})
