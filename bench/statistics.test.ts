import { describe, expect, test } from 'vitest'
import { ratioSpread, shortNumber, spreadOf } from './statistics.ts'

describe('spreadOf', () => {
  test('takes the median of an odd and an even count', () => {
    expect(spreadOf([9, 1, 5])).toEqual({ min: 1, median: 5, max: 9 })
    expect(spreadOf([10, 1, 4, 2])).toEqual({ min: 1, median: 3, max: 10 })
  })

  test('has no median without values', () => {
    expect(() => spreadOf([])).toThrow(RangeError)
  })
})

describe('ratioSpread', () => {
  test('compares round by round, not medians', () => {
    // The second round is slow for both.
    expect(ratioSpread([2, 20, 3], [4, 40, 4])).toEqual({ min: 0.5, median: 0.5, max: 0.75 })
  })

  test('skips rounds that are missing or zero on one side', () => {
    expect(ratioSpread([1, 1, 1], [2, 0])).toEqual({ min: 0.5, median: 0.5, max: 0.5 })
    expect(ratioSpread([1], [])).toBeUndefined()
  })
})

test('shortNumber keeps three digits and no exponent', () => {
  expect([0, 0.0123, 3.456, 42, 99.95, 123_456.7].map(shortNumber)).toEqual([
    '0',
    '0.0123',
    '3.46',
    '42',
    '100',
    '123,457',
  ])
})
