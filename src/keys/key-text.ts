/**
 * Text forms of 32-byte keys: a type prefix and hex, or raw hex (P-021).
 *
 * Errors describe what is wrong with a text without repeating it: text pasted by mistake may be a secret.
 */

import { argumentError } from './argument-error.ts'
import { KeyError } from './key-error.ts'

/** Bytes per key. */
export const KEY_BYTES = 32

const HEX_DIGITS = KEY_BYTES * 2
const HEX = /^[\da-f]{64}$/i
const SHOWN_DIGITS = 8
/** Prefixes of key texts of other kinds, which errors name: so few letters tell nothing of a secret. */
const KEY_PREFIX = /^[a-z]{1,5}key:/
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
  if (typeof text !== 'string') throw argumentError(`parse ${form.name}`, 'text', text, 'a string')
  const digits = text.startsWith(form.prefix) ? text.slice(form.prefix.length) : text
  if (!HEX.test(digits)) throw refusal(text, form, whatIsWrong(text, digits, form))
  return Uint8Array.from({ length: KEY_BYTES }, (_, i) => Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16))
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

function whatIsWrong(text: string, digits: string, { prefix }: KeyForm): string {
  const found = KEY_PREFIX.exec(text)?.[0] ?? prefix
  if (found !== prefix) return `starts with ${found}, not ${prefix}`
  if (digits === '[redacted]') return 'is what String(key) shows: save exportText()'
  if (text.trim() !== text) return 'has white space around it'
  if (digits.length === HEX_DIGITS) return 'has a character that is no hex digit'
  return `has ${text.length} characters, expected ${prefix} and ${HEX_DIGITS} hex digits`
}

function refusal(text: string, form: KeyForm, reason: string): KeyError {
  const shown = form.shown && text.startsWith(form.prefix)
  const start = text.slice(0, form.prefix.length + SHOWN_DIGITS)
  const value = shown ? ` ${start}${start === text ? '' : '…'}` : ''
  return new KeyError(`parse ${form.name}${value}: ${reason}`, { clause: 'P-021' })
}
