import { expect, test } from 'vitest'
import {
  concatBytes,
  copyBytes,
  decodeUtf8,
  EMPTY_BYTES,
  encodeUtf8,
  equalBytes,
  readUint32,
  writeUint32,
} from './bytes.ts'

test('concatBytes copies all parts in order, empty ones included', () => {
  const part = Uint8Array.of(1, 2)
  const whole = concatBytes([part, EMPTY_BYTES, Uint8Array.of(3)])
  part.fill(9)
  expect(whole).toEqual(Uint8Array.of(1, 2, 3))
  expect(concatBytes([])).toEqual(EMPTY_BYTES)
})

test('copyBytes copies out of a Buffer, whose slice would be a view', () => {
  const buffer = Buffer.from([1, 2, 3, 4])
  const all = copyBytes(buffer)
  const middle = copyBytes(buffer, 1, 3)
  buffer.fill(9)
  expect([all, middle]).toEqual([Uint8Array.of(1, 2, 3, 4), Uint8Array.of(2, 3)])
  expect(middle.buffer.byteLength).toBe(2)
  expect(copyBytes(buffer, 4)).toEqual(EMPTY_BYTES)
})

test('equalBytes compares lengths and every byte', () => {
  const bytes = Uint8Array.of(1, 2, 3)
  expect(equalBytes(bytes, Buffer.from(bytes))).toBe(true)
  expect(equalBytes(EMPTY_BYTES, new Uint8Array(0))).toBe(true)
  expect([equalBytes(bytes, bytes.subarray(0, 2)), equalBytes(bytes.subarray(0, 2), bytes)]).toEqual([false, false])
  for (const at of [0, 1, 2]) {
    const other = Uint8Array.from(bytes)
    other[at] = 0
    expect(equalBytes(bytes, other)).toBe(false)
  }
})

test.each([
  [0, [0, 0, 0, 0]],
  [1, [0, 0, 0, 1]],
  [0x01020304, [1, 2, 3, 4]],
  [0x7fffffff, [127, 255, 255, 255]],
  [0x80000000, [128, 0, 0, 0]],
  [0xffffffff, [255, 255, 255, 255]],
])('readUint32 and writeUint32 take %i as big-endian and unsigned (P-001)', (value, bytes) => {
  const out = new Uint8Array(6).fill(7)
  writeUint32(out, 1, value)
  expect([...out]).toEqual([7, ...bytes, 7])
  expect(readUint32(out, 1)).toBe(value)
})

test('decodeUtf8 keeps a byte order mark and replaces malformed sequences', () => {
  expect(decodeUtf8(encodeUtf8('\ufeffä🔑'))).toBe('\ufeffä🔑')
  expect(decodeUtf8(Uint8Array.of(0x61, 0xff, 0x62))).toBe('a\ufffdb')
})
