import { expect, test } from 'vitest'
import { looksLikeDisco, MIN_DISCO_LENGTH } from './disco.ts'

const MAGIC = [0x54, 0x53, 0xf0, 0x9f, 0x92, 0xac]
const shaped = Uint8Array.of(...MAGIC, ...new Uint8Array(56))

test('looksLikeDisco requires the magic and 62 bytes (P-053)', () => {
  expect(MIN_DISCO_LENGTH).toBe(62)
  expect(looksLikeDisco(shaped, 0, 62)).toBe(true)
  expect(looksLikeDisco(shaped, 0, 61)).toBe(false)
  expect(looksLikeDisco(new Uint8Array(62), 0, 62)).toBe(false)
  for (const at of MAGIC.keys()) {
    const other = shaped.map((byte, i) => (i === at ? byte ^ 0x20 : byte))
    expect(looksLikeDisco(other, 0, 62)).toBe(false)
  }
})

test('looksLikeDisco only looks between start and end (P-053)', () => {
  const inside = Uint8Array.of(7, 7, 7, ...shaped, 7, 7)
  expect(looksLikeDisco(inside, 3, inside.length)).toBe(true)
  expect(looksLikeDisco(inside, 3, 64)).toBe(false)
  expect(looksLikeDisco(inside, 2, inside.length)).toBe(false)
})
