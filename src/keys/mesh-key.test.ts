import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { KeyError } from './key-error.ts'
import { MeshKey } from './mesh-key.ts'

const text = '0123456789abcdef'.repeat(4)

test('MeshKey.parse trims white space around 64 lowercase hex digits (P-023)', () => {
  expect(MeshKey.parse(` \t${text}\r\n`).exportText()).toBe(text)
})

test.each([
  ['empty', ''],
  ['one digit short', text.slice(1)],
  ['one digit more', `${text}0`],
  ['uppercase', text.toUpperCase()],
  ['white space inside', `${text.slice(0, 32)} ${text.slice(33)}`],
  ['a line more', `${text}\n${text}`],
  ['no hex', `${text.slice(1)}g`],
])('MeshKey.parse refuses %s without repeating it (P-023)', (_, bad) => {
  let thrown: unknown
  try {
    MeshKey.parse(bad)
  } catch (error) {
    thrown = error
  }
  expect(thrown).toBeInstanceOf(KeyError)
  expect((thrown as KeyError).message).toContain('exactly 64 lowercase hex digits')
  expect((thrown as KeyError).message).not.toMatch(/456789/i)
})

test('MeshKey.matches is true only for the exact text (P-023)', () => {
  const key = MeshKey.parse(text)
  expect(key.matches(text)).toBe(true)
  expect(key.matches('')).toBe(false)
  expect(key.matches(text.slice(1))).toBe(false)
  expect(key.matches(`${text}0`)).toBe(false)
  expect(key.matches(text.toUpperCase())).toBe(false)
  expect(key.matches(`1${text.slice(1)}`)).toBe(false)
  expect(key.matches(`${text.slice(0, 63)}e`)).toBe(false)
  expect(key.matches(`\u0130${text.slice(1)}`)).toBe(false)
})

test('MeshKey shows its secret in no string, JSON or log', () => {
  const key = MeshKey.parse(text)
  for (const shown of [String(key), JSON.stringify({ key }), inspect(key, { showHidden: true }), inspect({ key })]) {
    expect(shown).toContain('meshkey:[redacted]')
    expect(shown).not.toContain('4567')
  }
})
