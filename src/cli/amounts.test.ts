import { expect, test } from 'vitest'
import { formatByteRate, formatBytes, formatSeconds } from './amounts.ts'

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1_000, '1.00 kB'],
  [9_996, '10.0 kB'],
  [99_960, '100 kB'],
  [999_400, '999 kB'],
  [999_600, '1.00 MB'],
  [12_345_678, '12.3 MB'],
  [5e15, '5000 TB'],
])('formatBytes(%d) is %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text)
})

test('rates and times', () => {
  expect(formatByteRate(3_000_000, 2_000)).toBe('1.50 MB/s')
  expect(formatByteRate(3, 0)).toBe('—')
  expect(formatSeconds(1_249)).toBe('1.2 s')
})
