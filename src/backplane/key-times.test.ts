import { expect, test } from 'vitest'
import { NodePublicKey } from '../keys/node-key.ts'
import { KeyTimes } from './key-times.ts'

const HEAD = 13
const entries = [1, 2, 3].map(n => ({
  key: NodePublicKey.fromBytes(new Uint8Array(32).fill(n)),
  time: n * 2 ** 40 + n,
}))

test('keys with times are read where they were written, behind the head of a message (P-321)', () => {
  const bytes = new Uint8Array(HEAD + KeyTimes.byteLength(entries.length))
  KeyTimes.write(bytes, HEAD, entries)
  const keys = KeyTimes.read(bytes, HEAD)
  expect(keys?.length).toBe(3)
  expect(entries.map((_, n) => ({ key: keys?.keyOf(n), time: keys?.timeOf(n) }))).toEqual(entries)
  expect(keys?.bytes.subarray(keys.offsetOf(1)).subarray(0, 32)).toEqual(entries[1]?.key.bytes)
})

test('an incomplete entry makes a list invalid, an empty list is valid (P-321)', () => {
  const length = HEAD + KeyTimes.byteLength(2)
  expect(KeyTimes.read(new Uint8Array(length), HEAD)?.length).toBe(2)
  expect(KeyTimes.read(new Uint8Array(HEAD), HEAD)?.length).toBe(0)
  for (const wrong of [length - 1, length + 1, HEAD + 1]) {
    expect(KeyTimes.read(new Uint8Array(wrong), HEAD)).toBeUndefined()
  }
})
