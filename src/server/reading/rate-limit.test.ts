import { expect, test } from 'vitest'
import { frameCost, parseRateConfig, ReadLimit } from './rate-limit.ts'

test('ReadLimit has a burst of at least one whole frame, and charges no frame more than that (P-103)', () => {
  const limit = new ReadLimit({ bytesPerSecond: 1_000, burstBytes: 1 }, 0)
  expect(limit.charge(frameCost(65_568), 0)).toBe(0)
  expect(limit.charge(frameCost(500), 0)).toBe(500)
  expect(limit.charge(frameCost(4_000_000_000), 500)).toBe(65_568)
})

test('frameCost is at least that of an empty packet, as each frame costs more than its bytes (P-103)', () => {
  expect([0, 1, 32, 33].map(frameCost)).toEqual([32, 32, 32, 33])
})

test('ReadLimit keeps a larger burst (P-103)', () => {
  const limit = new ReadLimit({ bytesPerSecond: 1, burstBytes: 100_000 }, 0)
  expect([limit.charge(50_000, 0), limit.charge(50_000, 0), limit.charge(1, 0)]).toEqual([0, 0, 1_000])
})

test('parseRateConfig reads the original’s fields in any case (P-103)', () => {
  const text = '{"PerClientRateLimitBytesPerSec": 125000, "perclientrateburstbytes": 250000}'
  expect(parseRateConfig(text)).toEqual({ bytesPerSecond: 125_000, burstBytes: 250_000 })
})

test('parseRateConfig returns no limit for a rate of zero (P-103)', () => {
  expect(parseRateConfig('{}')).toBeUndefined()
  expect(parseRateConfig('{"PerClientRateLimitBytesPerSec":0,"PerClientRateBurstBytes":9}')).toBeUndefined()
})

test.each([
  ['{', 'not JSON'],
  ['[]', 'not a JSON object'],
  ['null', 'not a JSON object'],
  ['5', 'not a JSON object'],
  ['{"Rate":1}', '"Rate" is none of its fields'],
  ['{"PerClientRateLimitBytesPerSec":"1"}', '"PerClientRateLimitBytesPerSec" is "1", not a whole number of bytes'],
  ['{"PerClientRateLimitBytesPerSec":-1}', 'is -1, not a whole number of bytes'],
  ['{"PerClientRateLimitBytesPerSec":1.5}', 'is 1.5, not a whole number of bytes'],
])('parseRateConfig refuses %s (P-103)', (text, reason) => {
  expect(() => parseRateConfig(text)).toThrow(reason)
})

test('parseRateConfig says which rule a text breaks, and why it is not JSON (P-103)', () => {
  const failure = expect.objectContaining({ clause: 'P-103', cause: expect.any(SyntaxError) })
  expect(() => parseRateConfig('{')).toThrow(failure)
})
