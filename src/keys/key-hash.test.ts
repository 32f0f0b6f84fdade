import { expect, test } from 'vitest'
import { fc } from '../../test/support/fast-check.ts'
import { createKeyHash, createRandomKeyHash } from './key-hash.ts'

/** HalfSipHash straight from the paper: any length, any number of rounds. */
function naiveHalfSipHash(input: Uint8Array, seed0: number, seed1: number, compress: number, finalize: number): number {
  const rotate = (x: number, by: number) => (x << by) | (x >>> (32 - by))
  const state = { v0: seed0 | 0, v1: seed1 | 0, v2: 0x6c796765 ^ seed0, v3: 0x74656462 ^ seed1 }
  const rounds = (count: number) => {
    for (let i = 0; i < count; i++) {
      state.v0 = (state.v0 + state.v1) | 0
      state.v1 = rotate(state.v1, 5) ^ state.v0
      state.v0 = rotate(state.v0, 16)
      state.v2 = (state.v2 + state.v3) | 0
      state.v3 = rotate(state.v3, 8) ^ state.v2
      state.v0 = (state.v0 + state.v3) | 0
      state.v3 = rotate(state.v3, 7) ^ state.v0
      state.v2 = (state.v2 + state.v1) | 0
      state.v1 = rotate(state.v1, 13) ^ state.v2
      state.v2 = rotate(state.v2, 16)
    }
  }
  const padded = new Uint8Array(Math.floor(input.length / 4) * 4 + 4)
  padded.set(input)
  padded[padded.length - 1] = input.length
  const view = new DataView(padded.buffer)
  for (let at = 0; at < padded.length; at += 4) {
    state.v3 ^= view.getInt32(at, true)
    rounds(compress)
    state.v0 ^= view.getInt32(at, true)
  }
  state.v2 ^= 0xff
  rounds(finalize)
  return state.v1 ^ state.v3
}

const ascending = (length: number) => Uint8Array.from({ length }, (_, i) => i)

test.each([
  [0, 0x5b9f35a9],
  [31, 0x1a9f585d],
  [32, 0x1221e7fe],
  [63, 0x744aea59],
])('the naive twin gives the published HalfSipHash-2-4 vector for %i bytes', (length, expected) => {
  expect(naiveHalfSipHash(ascending(length), 0x03020100, 0x07060504, 2, 4) >>> 0).toBe(expected)
})

test('createKeyHash matches the naive implementation with 1 and 3 rounds, at any offset', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 32, maxLength: 32 }),
      fc.integer({ min: 0, max: 9 }),
      fc.integer({ min: 0, max: 0xffffffff }),
      fc.integer({ min: 0, max: 0xffffffff }),
      (key, offset, seed0, seed1) => {
        const buffer = new Uint8Array(offset + 40).fill(0xa5)
        buffer.set(key, offset)
        expect(createKeyHash(seed0, seed1)(buffer, offset)).toBe(naiveHalfSipHash(key, seed0, seed1, 1, 3))
      },
    ),
  )
})

test('createRandomKeyHash seeds each hash afresh', () => {
  const key = ascending(32)
  const results = new Set(Array.from({ length: 8 }, () => createRandomKeyHash()(key, 0)))
  expect(results.size).toBeGreaterThan(1)
})
