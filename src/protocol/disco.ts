/** Recognises disco messages, with which peers look for direct paths (P-053). */

import { encodeUtf8 } from '../lib/bytes.ts'
import { KEY_LENGTH, NONCE_LENGTH } from './constants.ts'

/** What every disco message begins with. */
export const DISCO_MAGIC: Uint8Array = encodeUtf8('TS\u{1F4AC}')
const [m0, m1, m2, m3, m4, m5] = DISCO_MAGIC

/** The shortest disco message: magic, sender's disco key and nonce. */
export const MIN_DISCO_LENGTH: number = DISCO_MAGIC.length + KEY_LENGTH + NONCE_LENGTH

/**
 * Whether the packet from `start` to `end` has the shape of a disco message.
 *
 * @example
 * ```ts
 * console.log(looksLikeDisco(bytes, 0, bytes.length))
 * ```
 */
export function looksLikeDisco(bytes: Uint8Array, start: number, end: number): boolean {
  return (
    end - start >= MIN_DISCO_LENGTH &&
    bytes[start] === m0 &&
    bytes[start + 1] === m1 &&
    bytes[start + 2] === m2 &&
    bytes[start + 3] === m3 &&
    bytes[start + 4] === m4 &&
    bytes[start + 5] === m5
  )
}
