import { expect, test } from 'vitest'
import { fc } from '../../../test/support/fast-check.ts'
import { SharedRate } from './shared-rate.ts'
import { TokenBucket } from './token-bucket.ts'

const words = () => new BigInt64Array(new SharedArrayBuffer(16))

test('SharedRate allows what a private token bucket would', () => {
  // Rates with whole microseconds per token.
  const rates = fc.constantFrom(0.1, 1, 2.5, 10, 1_000)
  const steps = fc.array(fc.integer({ min: 0, max: 3_000 }), { maxLength: 50 })
  fc.assert(
    fc.property(rates, fc.integer({ min: 1, max: 20 }), steps, (perSecond, burst, waits) => {
      const [bucket, rate, memory] = [
        new TokenBucket({ perSecond, burst }, 0),
        new SharedRate({ perSecond, burst }),
        words(),
      ]
      let nowMs = 0
      for (const waitMs of waits) {
        nowMs += waitMs
        // Half a token off, so that rounding in the bucket does not matter.
        expect(rate.tryTake(memory, 1, nowMs)).toBe(bucket.tryTake(1, nowMs + 1e-6))
      }
    }),
  )
})

test('SharedRate is shared by users of the same word and independent of others', () => {
  const memory = words()
  const [a, b] = [new SharedRate({ perSecond: 1, burst: 3 }), new SharedRate({ perSecond: 1, burst: 3 })]
  const taken = [a, b, a, b, a].map(rate => rate.tryTake(memory, 0, 5_000))
  expect(taken).toEqual([true, true, true, false, false])
  expect(a.tryTake(memory, 1, 5_000)).toBe(true)
  expect([b.tryTake(memory, 0, 5_999), b.tryTake(memory, 0, 6_000)]).toEqual([false, true])
})

test('SharedRate accepts extremely low rates and unlimited bursts', () => {
  const memory = words()
  const seldom = new SharedRate({ perSecond: 1e-30, burst: 1 })
  expect([seldom.tryTake(memory, 0, 1_000), seldom.tryTake(memory, 0, 1e9)]).toEqual([true, false])
  const often = new SharedRate({ perSecond: 1e9, burst: 2 ** 63 })
  for (let n = 0; n < 1_000; n++) expect(often.tryTake(memory, 1, 0)).toBe(true)
})
