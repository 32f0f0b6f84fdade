import { expect, test } from 'vitest'
import { fc } from '../../../../test/support/fast-check.ts'
import { bucketMs, LatencyHistogram } from './latency-histogram.ts'

test('quantiles are never too low, and at most 1.6 % and a microsecond too high', () => {
  const micros = fc.oneof(fc.nat(300), fc.nat(100_000), fc.nat(2 ** 32 - 1))
  fc.assert(
    fc.property(fc.array(micros, { minLength: 1 }), fc.double({ min: 0, max: 1, noNaN: true }), (values, share) => {
      const histogram = new LatencyHistogram()
      for (const value of values) histogram.record(value / 1_000)
      const sorted = values.toSorted((a, b) => a - b)
      const exact = sorted[Math.max(1, Math.ceil(share * sorted.length)) - 1] ?? 0
      const found = (histogram.quantileMs(share) ?? -1) * 1_000
      expect(found).toBeGreaterThanOrEqual(exact - 1e-6)
      expect(found).toBeLessThanOrEqual(exact * 1.016 + 1)
    }),
  )
})

test('merging by sparse counts is recording in one, and taking away undoes it', () => {
  const [a, b, both] = [new LatencyHistogram(), new LatencyHistogram(), new LatencyHistogram()]
  for (const ms of [0.05, 1, 20]) a.record(ms)
  for (const ms of [1, 3_000]) b.record(ms)
  for (const ms of [0.05, 1, 20, 1, 3_000]) both.record(ms)
  const merged = new LatencyHistogram(a.sparse(), a.sumMicros)
  merged.add(b.sparse(), b.sumMicros)
  expect([merged.sparse(), merged.count, merged.meanMs]).toEqual([both.sparse(), both.count, both.meanMs])
  merged.add(b.sparse(), b.sumMicros, -1)
  expect([merged.sparse(), merged.count, merged.sumMicros]).toEqual([a.sparse(), a.count, a.sumMicros])
})

test('without values there are no quantiles; what is out of range is kept at its edge', () => {
  const histogram = new LatencyHistogram()
  expect([histogram.quantileMs(0.5), histogram.meanMs]).toEqual([undefined, undefined])
  histogram.record(-1)
  histogram.record(1e12)
  expect([histogram.quantileMs(0), histogram.quantileMs(1)]).toEqual([0, (2 ** 32 - 1) / 1_000])
})

test('counts by bounds; the last bound takes the rest', () => {
  const histogram = new LatencyHistogram()
  for (const ms of [0.01, 0.1, 0.9, 5, 70]) histogram.record(ms)
  expect(histogram.countsUpTo([0.1, 1, 10])).toEqual([2, 1, 2])
  expect(bucketMs(127)).toBe(0.127)
})
