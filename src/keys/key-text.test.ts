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
  ['', 'has 0 characters, expected open: and 64 hex digits'],
  [`OPEN:${digits}`, 'has 69 characters, expected open: and 64 hex digits'],
  [` ${digits}`, 'has white space around it'],
  [`open:${digits}\n`, 'has white space around it'],
  [`open:${digits}0`, 'has 70 characters, expected open: and 64 hex digits'],
  ['open:', 'has 5 characters, expected open: and 64 hex digits'],
  [`privkey:${digits}`, 'parse test key: starts with privkey:, not open:'],
  [`nodekey:${digits}`, 'parse test key: starts with nodekey:, not open:'],
  [`discokey:${digits}`, 'parse test key: starts with discokey:, not open:'],
  ['open:[redacted]', 'is what String(key) shows: save exportText()'],
  [`open:${digits.slice(1)}g`, 'has a character that is no hex digit'],
  [`open:${digits.slice(1)}`, 'has 68 characters, expected open: and 64 hex digits'],
  [`${digits.slice(1)}\u0130`, 'has a character that is no hex digit'],
  [`open:${digits.slice(1)}@`, 'has a character that is no hex digit'],
  [`open:${digits.slice(1)}/`, 'has a character that is no hex digit'],
  [`open:${digits.slice(1)}:`, 'has a character that is no hex digit'],
  [`open:${digits.slice(1)}\u0010`, 'has a character that is no hex digit'],
])('parseKeyText refuses %j (P-021)', (text, reason) => {
  expect(messageOf(text, shown)).toContain(reason)
})

test('parseKeyText shows the start of a text with the public prefix and nothing of any other', () => {
  expect(messageOf(`open:${digits}00`, shown)).toBe(
    'parse test key open:01234567…: has 71 characters, expected open: and 64 hex digits',
  )
  expect(messageOf('open:01234567', shown)).toBe(
    'parse test key open:01234567: has 13 characters, expected open: and 64 hex digits',
  )
  expect(messageOf('shut:deadbeefdeadbeef', shown)).not.toContain('dead')
  expect(messageOf(`${digits.slice(1)}x`, shown)).not.toContain('1234')
  expect(messageOf('shut:deadbeefdeadbeef', secret)).not.toContain('dead')
  expect(messageOf(`shut:${'deadbeef'.repeat(7)}deadbeeg`, secret)).not.toContain('dead')
})

test.each([
  [undefined, 'undefined, not a string'],
  [42, 'a number, not a string'],
  [Promise.resolve(digits), 'a Promise, not a string; await it'],
  [new Uint8Array(32), 'a Uint8Array, not a string'],
])('parseKeyText names what is not text: %s', (value, what) => {
  const message = `parse test key: text is ${what}`
  expect(() => parseKeyText(value as unknown as string, shown)).toThrow(new TypeError(message))
})

test('KeyError carries its code', () => {
  const error = new KeyError('parse x: y')
  expect([error.name, error.code, error.message]).toEqual(['KeyError', 'ERR_DERP_KEY_INVALID', 'parse x: y'])
})
