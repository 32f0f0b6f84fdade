import { expect, test } from 'vitest'
import { fitPacketCost, messageMicros, packetMicros } from './costs.ts'

test('the cost of packets fits the samples that it is made from', () => {
  const samples = { large: { bytes: 1_280, alone: 20, together: 9 }, small: { bytes: 64, together: 6 }, burst: 8 }
  const cost = fitPacketCost(samples)
  expect(packetMicros(cost, 1_280, 1)).toBeCloseTo(20)
  expect(packetMicros(cost, 1_280, 8)).toBeCloseTo(9)
  expect(packetMicros(cost, 64, 8)).toBeCloseTo(6)
  expect(packetMicros(cost, 1_280, 3)).toBeGreaterThan(9)
})

test('noise does not make larger or separate packets cheaper', () => {
  const samples = { large: { bytes: 1_280, alone: 5, together: 6 }, small: { bytes: 64, together: 7 }, burst: 8 }
  expect(fitPacketCost(samples)).toEqual({ packet: 6, burst: 0, byte: 0 })
})

test('messages cost less the more there are, within what was measured', () => {
  const cost = { alone: 60, together: 20 }
  expect([0, 1, 250, 20_000, 1e6].map(rate => messageMicros(cost, rate))).toEqual([60, 60, 60, 20, 20])
  expect(messageMicros(cost, Math.sqrt(250 * 20_000))).toBeCloseTo(Math.sqrt(60 * 20))
})
