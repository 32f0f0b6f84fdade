import { expect, test } from 'vitest'
import { backoffMs } from './backoff.ts'

const LIMITS = { minMs: 250, maxMs: 30_000 }

test('backoffMs doubles up to the maximum', () => {
  const most = [1, 2, 3, 7, 8, 9, 100, 5_000].map(failures => backoffMs(failures, LIMITS, () => 1))
  expect(most).toEqual([250, 500, 1_000, 16_000, 30_000, 30_000, 30_000, 30_000])
})

test('backoffMs randomises the upper half and is never zero', () => {
  expect(backoffMs(1, LIMITS, () => 0)).toBe(125)
  expect(backoffMs(50, LIMITS, () => 0)).toBe(15_000)
  expect(backoffMs(1, LIMITS, () => 0.5)).toBe(187.5)
})
