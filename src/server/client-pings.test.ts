import { expect, test } from 'vitest'
import { Histogram } from '../metrics/histogram.ts'
import { ClientPings } from './client-pings.ts'

test('ClientPings records the round-trip time once (P-091)', () => {
  const histogram = new Histogram([10])
  const pings = new ClientPings(histogram)
  pings.answered(new Uint8Array(8), 5)
  const payload = pings.next(1_000)
  expect(payload).toHaveLength(8)
  pings.answered(new Uint8Array(8), 1_010)
  expect(histogram.count).toBe(0)
  pings.answered(payload.slice(), 1_025)
  pings.answered(payload.slice(), 1_050)
  expect([histogram.count, histogram.sum]).toEqual([1, 25])
})

test('ClientPings forgets an unanswered ping when sending the next (P-091)', () => {
  const histogram = new Histogram([10])
  const pings = new ClientPings(histogram)
  const first = pings.next(0)
  const second = pings.next(100)
  expect(second).not.toEqual(first)
  pings.answered(first, 110)
  pings.answered(second, 120)
  expect([histogram.count, histogram.sum]).toEqual([1, 20])
})
