import { expect, test } from 'vitest'
import { SourceLimiter } from './source-limiter.ts'

test('SourceLimiter forgets the source not heard of for longest when it has too many (P-186)', () => {
  const limiter = new SourceLimiter({ perSecond: 1, burst: 1, maxSources: 2 })
  expect([limiter.tryTake('a', 0), limiter.tryTake('b', 0), limiter.tryTake('a', 0)]).toEqual([true, true, false])
  expect(limiter.tryTake('c', 0)).toBe(true)
  expect(limiter.size).toBe(2)
  // b made room for c, a was heard of since.
  expect([limiter.tryTake('a', 0), limiter.tryTake('b', 0)]).toEqual([false, true])
  for (let i = 0; i < 1000; i++) limiter.tryTake(`source ${i}`, i)
  expect(limiter.size).toBe(2)
})

test.each([
  [{ perSecond: 0, burst: 1 }, 'perSecond of 0'],
  [{ perSecond: Number.POSITIVE_INFINITY, burst: 1 }, 'perSecond of Infinity'],
  [{ perSecond: 1, burst: 0.5 }, 'burst of 0.5'],
  [{ perSecond: 1, burst: Number.NaN }, 'burst of NaN'],
  [{ perSecond: 1, burst: 1, maxSources: 0 }, 'maxSources of 0'],
  [{ perSecond: 1, burst: 1, maxSources: 1.5 }, 'maxSources of 1.5'],
])('SourceLimiter refuses %j', (limit, named) => {
  expect(() => new SourceLimiter(limit)).toThrow(new RangeError(`use source limit ${named}: out of range`))
})
