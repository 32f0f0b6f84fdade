import { expect, test } from 'vitest'
import { mergeCounters, RelayCounters } from './counters.ts'
import { Histogram } from './histogram.ts'

test('Histogram counts a value in the first bucket whose bound it does not exceed (P-194)', () => {
  const histogram = new Histogram([0, 1, 10])
  for (const value of [-1, 0, 0.5, 1, 1.5, 10, 11]) histogram.observe(value)
  expect(histogram.counts).toEqual([2, 2, 2, 1])
  expect(histogram.count).toBe(7)
  expect(histogram.sum).toBe(23)
})

test('Histogram has cumulative buckets, the last one with everything (P-194)', () => {
  const histogram = new Histogram([0, 0.5, 10])
  histogram.observe(0, 3)
  histogram.observe(7, 2)
  histogram.observe(1_000)
  expect(histogram.cumulative()).toEqual([
    { le: '0', count: 3 },
    { le: '0.5', count: 3 },
    { le: '10', count: 5 },
    { le: '+Inf', count: 6 },
  ])
  expect(histogram.sum).toBe(1_014)
})

test('mergeCounters adds histograms bucket by bucket, including those received as messages', () => {
  const [a, b] = [new RelayCounters(), new RelayCounters()]
  a.queueAgeMs.observe(3)
  b.queueAgeMs.observe(3)
  b.queueAgeMs.observe(70_000)
  b.accepts = 2
  const total = mergeCounters([a, structuredClone(b)])
  expect(total.accepts).toBe(2)
  expect(total.queueAgeMs.sum).toBe(70_006)
  expect(total.queueAgeMs.cumulative().at(3)).toEqual({ le: '5', count: 2 })
  expect(total.queueAgeMs.cumulative().at(-1)).toEqual({ le: '+Inf', count: 3 })
})
