import { expect, test } from 'vitest'
import { growthOf, slope } from './growth.ts'

const samplesOf = (megabytesAt: (minute: number) => number) =>
  Array.from({ length: 11 }, (_, minute) => ({ minute, megabytes: megabytesAt(minute), descriptors: 20 }))

test('growth counts from the end of the first part, and a share of the mean passes for noise', () => {
  const warm = samplesOf(minute => (minute < 3 ? 50 + 20 * minute : 100))
  expect(growthOf(warm)).toEqual({ megabytesPerMinute: 0, inAll: 0, most: 15 })
  const leak = growthOf(samplesOf(minute => 100 + 10 * minute))
  expect(leak.megabytesPerMinute).toBeCloseTo(10)
  expect(leak.inAll).toBeCloseTo(70)
  expect(leak.inAll).toBeGreaterThan(leak.most)
})

test('slope of single points and of a line', () => {
  expect(slope([[1, 5]])).toBe(0)
  expect(
    slope([
      [0, 1],
      [1, 3],
      [2, 5],
    ]),
  ).toBeCloseTo(2)
})
