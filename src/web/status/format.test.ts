import { expect, test } from 'vitest'
import { formatAge, formatBytes, formatShort, formatValue, shortKey } from './format.ts'

test.each([
  [0, '0 B'],
  [1_023, '1023 B'],
  [1_536, '1.50 KiB'],
  [10 * 1_024 * 1_024, '10 MiB'],
  [123_456_789, '118 MiB'],
])('formatBytes of %i is %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text)
})

test('formatValue shows whole numbers in full', () => {
  expect(formatValue(1_234_567, 'count')).toBe('1\u202f234\u202f567')
  expect(formatValue(2_048, 'bytes')).toBe('2\u202f048 (2 KiB)')
  expect(formatValue(1.234, 'ms')).toBe('1.23 ms')
  expect(formatShort(12.34)).toBe('12.3')
})

test.each([
  [0.4, '0 s'],
  [61, '1 min 1 s'],
  [3_600, '1 h'],
  [90_061, '1 d 1 h'],
])('formatAge of %d s is %s', (seconds, text) => {
  expect(formatAge(seconds)).toBe(text)
})

test('shortKey takes the first characters', () => {
  expect(shortKey(`nodekey:${'ab'.repeat(32)}`)).toBe('ababababab')
})
