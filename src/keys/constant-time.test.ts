import { expect, test } from 'vitest'
import { fc } from '../../test/support/fast-check.ts'
import { equalConstantTime } from './constant-time.ts'

test('equalConstantTime is true for equal contents and false after any one change', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 40 }),
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      (a, i, x) => {
        const b = new Uint8Array(a)
        expect(equalConstantTime(a, b)).toBe(true)
        b[i % b.length] = (b[i % b.length] as number) ^ x
        expect(equalConstantTime(a, b)).toBe(false)
      },
    ),
  )
})

test('equalConstantTime is false for a prefix and true for two empty arrays', () => {
  expect(equalConstantTime(Uint8Array.of(1, 2), Uint8Array.of(1, 2, 0))).toBe(false)
  expect(equalConstantTime(new Uint8Array(0), new Uint8Array(0))).toBe(true)
})
