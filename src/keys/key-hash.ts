/**
 * A keyed hash of 32-byte keys for hash tables: HalfSipHash-1-3 with a 32-bit result (Aumasson, Bernstein).
 *
 * Peers choose their own keys. Without the seeds they could choose keys that collide.
 */

import { KEY_BYTES } from './key-text.ts'

/** Hashes the {@link KEY_BYTES} bytes at `offset` to a signed 32-bit number; the caller has checked the bounds. */
export type KeyHash = (bytes: Uint8Array, offset: number) => number

const FINAL_ROUNDS = 3

/** A hash with fresh random seeds. */
export function createRandomKeyHash(): KeyHash {
  const [seed0 = 0, seed1 = 0] = crypto.getRandomValues(new Uint32Array(2))
  return createKeyHash(seed0, seed1)
}

/** The hash for given seeds: the two little-endian words of the algorithm's 64-bit key. */
export function createKeyHash(seed0: number, seed1: number): KeyHash {
  return (bytes, offset) => {
    let v0 = seed0 | 0
    let v1 = seed1 | 0
    let v2 = 0x6c796765 ^ seed0
    let v3 = 0x74656462 ^ seed1
    const lengthAt = offset + KEY_BYTES
    const endAt = lengthAt + 4 * (1 + FINAL_ROUNDS)
    // One round each for the words of the key, for the length in the top byte of a word of its own, and at the end.
    for (let at = offset; at < endAt; at += 4) {
      let word = 0
      if (at < lengthAt) word = readWord(bytes, at)
      else if (at === lengthAt) word = KEY_BYTES << 24
      else if (at === lengthAt + 4) v2 ^= 0xff
      v3 ^= word
      v0 = (v0 + v1) | 0
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
      v0 = (v0 << 16) | (v0 >>> 16)
      v2 = (v2 + v3) | 0
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
      v0 = (v0 + v3) | 0
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
      v2 = (v2 + v1) | 0
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
      v2 = (v2 << 16) | (v2 >>> 16)
      v0 ^= word
    }
    return v1 ^ v3
  }
}

function readWord(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  )
}
