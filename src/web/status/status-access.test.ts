import { expect, test } from 'vitest'
import { FakeClock } from '../../../test/support/fake-clock.ts'
import { httpRequest } from '../../../test/support/http-request.ts'
import { StatusAccess } from './status-access.ts'

const TOKEN = 'status-token-0123456789'

function accessWith(token: string | undefined, allows = false) {
  const clock = new FakeClock()
  const secret = { token }
  const access = new StatusAccess({ allows: () => allows, readToken: () => secret.token, clock })
  return { clock, secret, access }
}

const withCookie = (header: string) => httpRequest({ headers: { cookie: `other=1; ${header.split(';')[0]}` } })
const withBearer = (token: string) => httpRequest({ headers: { authorization: `Bearer ${token}` } })

test('StatusAccess lets in who sees the debug pages, and bearers of the token (P-175)', () => {
  expect(accessWith(undefined, true).access.allows(httpRequest({}))).toBe(true)
  const { access } = accessWith(TOKEN)
  expect(access.allows(httpRequest({}))).toBe(false)
  expect(access.allows(withBearer(TOKEN))).toBe(true)
  expect(access.allows(withBearer(`${TOKEN}x`))).toBe(false)
})

test.each([undefined, ''])('StatusAccess without a token (%j) lets nobody in by none', token => {
  const { access } = accessWith(token)
  expect([access.hasToken, access.isToken(''), access.allows(withBearer(''))]).toEqual([false, false, false])
  expect(access.allows(withCookie(access.sessionCookie(false)))).toBe(false)
})

test('a login holds for twelve hours, for its own token, and as it was signed (P-175)', () => {
  const { access, clock, secret } = accessWith(TOKEN)
  const cookie = access.sessionCookie(false)
  expect(access.allows(withCookie(cookie))).toBe(true)
  const forged = cookie.replace(/=(\d+)/, (_, expiry: string) => `=${Number(expiry) + 1}`)
  expect(access.allows(withCookie(forged))).toBe(false)
  secret.token = 'another-token-0123456789'
  expect(access.allows(withCookie(cookie))).toBe(false)
  secret.token = TOKEN
  clock.advance(12 * 3_600_000 - 1_000)
  expect(access.allows(withCookie(cookie))).toBe(true)
  clock.advance(1_000)
  expect(access.allows(withCookie(cookie))).toBe(false)
})

test('the cookie of a login goes to the status page only, never to scripts or other sites, and over TLS only if it came so', () => {
  const { access } = accessWith(TOKEN)
  expect(access.sessionCookie(false)).toMatch(/; Path=\/debug\/status; Max-Age=43200; HttpOnly; SameSite=Strict$/)
  expect(access.sessionCookie(true)).toMatch(/; Secure$/)
  expect(access.noCookie(true)).toMatch(/^derper-status=; .*Max-Age=0; .*Secure$/)
})
