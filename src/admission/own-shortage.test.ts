import { expect, test } from 'vitest'
import { isOwnShortage } from './own-shortage.ts'

const coded = (code: string) => Object.assign(new Error(code), { code })
const both = (...codes: string[]) => new AggregateError(codes.map(coded))

test.each([
  [coded('EMFILE'), true],
  [coded('ENFILE'), true],
  [coded('ENOBUFS'), true],
  [coded('ENOMEM'), true],
  [coded('EADDRNOTAVAIL'), true],
  [new TypeError('fetch failed', { cause: coded('EMFILE') }), true],
  [both('EADDRNOTAVAIL', 'EADDRNOTAVAIL'), true],
  [both('ECONNREFUSED', 'EMFILE'), true],
  [both('EADDRNOTAVAIL', 'ECONNREFUSED'), false],
  [coded('ECONNREFUSED'), false],
  [coded('EAI_AGAIN'), false],
  [new Error('no response after 5000 ms'), false],
  ['EMFILE', false],
  [new AggregateError([]), false],
])('isOwnShortage of %s is %s (P-040)', (error, isOwn) => {
  expect(isOwnShortage(error)).toBe(isOwn)
})
