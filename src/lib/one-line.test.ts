import { expect, test } from 'vitest'
import { oneLine } from './one-line.ts'

test.each([
  ['a b', 'a b'],
  ['  a\r\n\tb\u2028c\0\u200bd ', 'a b c d'],
  ['x'.repeat(10), 'x'.repeat(10)],
  ['x'.repeat(30), `${'x'.repeat(9)}…`],
  [`${' '.repeat(20)}y`, 'y'],
  ['', ''],
])('oneLine shows %j as %j', (text, shown) => {
  expect(oneLine(text, 10)).toBe(shown)
})
