import { expect, test } from 'vitest'
import { AcmeChallenges } from '../challenges.ts'
import { alpnServerName } from './acme.ts'

test.each([
  ['relay.test', 'relay.test'],
  ['192.0.2.1', '1.2.0.192.in-addr.arpa'],
  ['2001:db8::567', `7.6.5.0.${'0.'.repeat(20)}8.b.d.0.1.0.0.2.ip6.arpa`],
])('alpnServerName of %s is %s (P-147)', (identifier, name) => {
  expect(alpnServerName(identifier)).toBe(name)
})

test('AcmeChallenges answers only at the paths of challenges (P-147)', () => {
  const challenges = new AcmeChallenges()
  challenges.http.set('token', 'token.print')
  expect(challenges.httpAnswer('/.well-known/acme-challenge/token')).toBe('token.print')
  expect(challenges.httpAnswer('/.well-known/acme-challenge/other')).toBeNull()
  expect(challenges.httpAnswer('/.well-known/acme-challenge/')).toBeNull()
  expect(challenges.httpAnswer('/.well-known/other')).toBeUndefined()
  expect(challenges.httpAnswer('/')).toBeUndefined()
})
