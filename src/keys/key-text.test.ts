import { expect, test } from 'vitest'
import { fc } from '../../test/support/fast-check.ts'
import { KeyError } from './key-error.ts'
import { formatHex, type KeyForm, parseKeyText } from './key-text.ts'

const shown: KeyForm = { name: 'test key', prefix: 'open:', shown: true }
const secret: KeyForm = { name: 'secret key', prefix: 'shut:', shown: false }
const digits = '0123456789abcdef'.repeat(4)

function messageOf(text: string, form: KeyForm): string {
  try {
    parseKeyText(text, form)
  } catch (error) {
    expect(error).toBeInstanceOf(KeyError)
    return (error as KeyError).message
  }
  throw new Error('parsed')
}

test('parseKeyText parses what formatHex wrote, with and without prefix, in either case (P-021)', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), bytes => {
      const hex = formatHex(bytes)
      expect(hex).toBe(Buffer.from(bytes).toString('hex'))
      for (const text of [hex, hex.toUpperCase(), `open:${hex}`, `open:${hex.toUpperCase()}`]) {
        expect(parseKeyText(text, shown)).toEqual(bytes)
      }
    }),
  )
})

test.each([
  ['', 'neither starts with open: nor has 64 hex digits'],
  [`OPEN:${digits}`, 'neither starts with open: nor has 64 hex digits'],
  [` ${digits}`, 'neither starts with open: nor has 64 hex digits'],
  [`open:${digits}0`, 'has 65 hex digits, expected 64'],
  ['open:', 'has 0 hex digits, expected 64'],
  [`open:${digits.slice(1)}g`, 'has a character that is not a hex digit'],
  [`open:${digits.slice(1)}`, 'has 63 hex digits, expected 64'],
  [`${digits.slice(1)}\u0130`, 'has a character that is not a hex digit'],
  [`open:${digits.slice(1)}@`, 'has a character that is not a hex digit'],
  [`open:${digits.slice(1)}/`, 'has a character that is not a hex digit'],
  [`open:${digits.slice(1)}:`, 'has a character that is not a hex digit'],
  [`open:${digits.slice(1)}\u0010`, 'has a character that is not a hex digit'],
])('parseKeyText refuses %j (P-021)', (text, reason) => {
  expect(messageOf(text, shown)).toContain(reason)
})

test('parseKeyText shows the start of a text with the public prefix and nothing of any other', () => {
  expect(messageOf(`open:${digits}00`, shown)).toBe('parse test key open:01234567…: has 66 hex digits, expected 64')
  expect(messageOf('open:01234567', shown)).toBe('parse test key open:01234567: has 8 hex digits, expected 64')
  expect(messageOf('shut:deadbeefdeadbeef', shown)).not.toContain('dead')
  expect(messageOf(`${digits.slice(1)}x`, shown)).not.toContain('1234')
  expect(messageOf('shut:deadbeefdeadbeef', secret)).not.toContain('dead')
  expect(messageOf(`shut:${'deadbeef'.repeat(7)}deadbeeg`, secret)).not.toContain('dead')
})

test('KeyError carries its code', () => {
  const error = new KeyError('parse x: y')
  expect([error.name, error.code, error.message]).toEqual(['KeyError', 'ERR_DERP_KEY_INVALID', 'parse x: y'])
})
