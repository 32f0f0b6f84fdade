import { expect, test } from 'vitest'
import { didYouMean } from './did-you-mean.ts'

const NAMES = ['a', 'c', 'stun', 'stun-port', 'verify-clients', 'check-config']

test.each([
  ['stunport', 'did you mean -stun-port?'],
  ['STUN_PORT', 'did you mean -stun-port?'],
  ['stun-prot', 'did you mean -stun-port?'],
  ['verify-client', 'did you mean -verify-clients?'],
  ['checkconfig', 'did you mean -check-config?'],
  ['b', '-help lists them'],
  ['serve', '-help lists them'],
])('didYouMean finds for %s: %s', (name, hint) => {
  expect(didYouMean(name, NAMES, meant => `-${meant}`)).toBe(hint)
})
