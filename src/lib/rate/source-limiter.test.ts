import { expect, test } from 'vitest'
import { SourceLimiter } from './source-limiter.ts'

test('SourceLimiter forgets the least recently seen source when it tracks too many (P-186)', () => {
  const limiter = new SourceLimiter({ perSecond: 1, burst: 1, maxSources: 2 })
  expect([limiter.tryTake('a', 0), limiter.tryTake('b', 0), limiter.tryTake('a', 0)]).toEqual([true, true, false])
  expect(limiter.tryTake('c', 0)).toBe(true)
  expect(limiter.size).toBe(2)
  // b evicted c; a has been seen since.
  expect([limiter.tryTake('a', 0), limiter.tryTake('b', 0)]).toEqual([false, true])
  for (let i = 0; i < 1000; i++) limiter.tryTake(`source ${i}`, i)
  expect(limiter.size).toBe(2)
})

test.each([
  [{ perSecond: 0, burst: 1 }, 'perSecond to 0'],
  [{ perSecond: Number.POSITIVE_INFINITY, burst: 1 }, 'perSecond to Infinity'],
  [{ perSecond: 1, burst: 0.5 }, 'burst to 0.5'],
  [{ perSecond: 1, burst: Number.NaN }, 'burst to NaN'],
  [{ perSecond: 1, burst: 1, maxSources: 0 }, 'maxSources to 0'],
  [{ perSecond: 1, burst: 1, maxSources: 1.5 }, 'maxSources to 1.5'],
])('SourceLimiter refuses %j', (limit, named) => {
  expect(() => new SourceLimiter(limit)).toThrow(new RangeError(`set source limit ${named}: out of range`))
})
