import { expect, test } from 'vitest'
import { TokenBucket } from './token-bucket.ts'

test('TokenBucket starts full and never exceeds its burst', () => {
  const bucket = new TokenBucket({ perSecond: 1, burst: 3 }, 0)
  const take = (nowMs: number) => bucket.tryTake(1, nowMs)
  expect([take(0), take(0), take(0), take(0)]).toEqual([true, true, true, false])
  expect([take(999), take(1_000), take(1_001)]).toEqual([false, true, false])
  expect([take(60_000), take(60_000), take(60_000), take(60_000)]).toEqual([true, true, true, false])
})

test('TokenBucket.tryTake stays exact after any number of failed takes', () => {
  const bucket = new TokenBucket({ perSecond: 1, burst: 1 }, 0)
  expect(bucket.tryTake(1, 0)).toBe(true)
  for (let nowMs = 100; nowMs < 1_000; nowMs += 100) expect(bucket.tryTake(1, nowMs)).toBe(false)
  expect(bucket.tryTake(1, 1_000)).toBe(true)
})

test('TokenBucket.tryTake takes all or nothing, and never more than the bucket holds', () => {
  const bucket = new TokenBucket({ perSecond: 10, burst: 5 }, 0)
  expect(bucket.tryTake(6, 1e9)).toBe(false)
  expect(bucket.tryTake(4, 1e9)).toBe(true)
  expect(bucket.tryTake(2, 1e9)).toBe(false)
  expect(bucket.tryTake(1, 1e9)).toBe(true)
})

test('TokenBucket.reserve goes into debt and returns how long it takes to pay', () => {
  const bucket = new TokenBucket({ perSecond: 1_000, burst: 500 }, 0)
  expect(bucket.reserve(500, 0)).toBe(0)
  expect(bucket.reserve(250, 0)).toBe(250)
  expect(bucket.reserve(0, 100)).toBe(150)
  expect(bucket.tryTake(1, 250)).toBe(false)
  expect(bucket.tryTake(1, 251)).toBe(true)
})

test('TokenBucket.waitMs returns when tokens will be available and takes none', () => {
  const bucket = new TokenBucket({ perSecond: 1_000, burst: 500 }, 0)
  expect(bucket.waitMs(500, 0)).toBe(0)
  expect(bucket.waitMs(501, 0)).toBe(Infinity)
  bucket.reserve(600, 0)
  expect(bucket.waitMs(0, 0)).toBe(100)
  expect(bucket.waitMs(500, 50)).toBe(550)
  expect(bucket.tryTake(500, 599)).toBe(false)
  expect(bucket.tryTake(500, 600)).toBe(true)
})

test('TokenBucket gains nothing from a clock that runs backwards', () => {
  const bucket = new TokenBucket({ perSecond: 1, burst: 1 }, 5_000)
  expect(bucket.tryTake(1, 4_000)).toBe(true)
  expect(bucket.tryTake(1, 5_000)).toBe(false)
  expect(bucket.tryTake(1, 6_000)).toBe(true)
})
