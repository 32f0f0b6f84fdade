/**
 * Text forms of 32-byte keys: a type prefix and hex, or raw hex (P-021).
 *
 * Errors describe what is wrong with a text without repeating it: text pasted by mistake may be a secret.
 */

import { KeyError } from './key-error.ts'

/** Bytes per key. */
export const KEY_BYTES = 32

const HEX_DIGITS = KEY_BYTES * 2
const SHOWN_DIGITS = 8
const BYTE_TO_HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** The text form of one kind of key. */
export interface KeyForm {
  /** Name used in error messages. */
  readonly name: string
  /** Type prefix, colon included. */
  readonly prefix: string
  /** Whether errors may show the start of a text that has the prefix. */
  readonly shown: boolean
}

/** Lowercase hex of `bytes`. */
export function formatHex(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += BYTE_TO_HEX[byte]
  return text
}

/**
 * Parses prefix and hex, or raw hex of exactly the right length; either case, no white space.
 *
 * @throws KeyError
 */
export function parseKeyText(text: string, form: KeyForm): Uint8Array<ArrayBuffer> {
  const hasPrefix = text.startsWith(form.prefix)
  const digits = hasPrefix ? text.slice(form.prefix.length) : text
  if (!hasPrefix && digits.length !== HEX_DIGITS) {
    throw refusal(text, form, `neither starts with ${form.prefix} nor has ${HEX_DIGITS} hex digits`)
  }
  if (digits.length !== HEX_DIGITS) {
    throw refusal(text, form, `has ${digits.length} hex digits, expected ${HEX_DIGITS}`)
  }
  const bytes = parseHex(digits)
  if (bytes === undefined) throw refusal(text, form, 'has a character that is not a hex digit')
  return bytes
}

/** Copies exactly 32 bytes. @throws KeyError for another length. */
export function copyKey(bytes: Uint8Array, form: KeyForm): Uint8Array<ArrayBuffer> {
  if (bytes.length !== KEY_BYTES) {
    throw new KeyError(`read ${form.name}: has ${bytes.length} bytes, expected ${KEY_BYTES}`, { clause: 'P-020' })
  }
  return new Uint8Array(bytes)
}

/** Whether all bytes are zero. Without an early exit: it is asked of secrets too. */
export function isZeroKey(bytes: Uint8Array): boolean {
  let seen = 0
  for (const byte of bytes) seen |= byte
  return seen === 0
}

function parseHex(digits: string): Uint8Array<ArrayBuffer> | undefined {
  const bytes = new Uint8Array(digits.length / 2)
  for (let i = 0; i < bytes.length; i++) {
    const high = hexValue(digits.charCodeAt(2 * i))
    const low = hexValue(digits.charCodeAt(2 * i + 1))
    if (high < 0 || low < 0) return undefined
    bytes[i] = (high << 4) | low
  }
  return bytes
}

function hexValue(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  const lower = code | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x61 + 10 : -1
}

function refusal(text: string, form: KeyForm, reason: string): KeyError {
  const shown = form.shown && text.startsWith(form.prefix)
  const start = text.slice(0, form.prefix.length + SHOWN_DIGITS)
  const value = shown ? ` ${start}${start === text ? '' : '…'}` : ''
  return new KeyError(`parse ${form.name}${value}: ${reason}`, { clause: 'P-021' })
}
