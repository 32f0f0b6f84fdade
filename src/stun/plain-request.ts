/**
 * Binding requests of any STUN client, for servers that answer those too (P-184).
 *
 * Stricter about form than for nodes (P-180), as RFC 8489 requires: the header's length must be correct, and a client
 * that requires an attribute unknown here must be told.
 */

import { readUint32 } from '../lib/bytes.ts'
import { allocateMessage, fingerprint, readUint16, walkAttributes } from './attributes.ts'
import { ATTRIBUTE, BINDING_ERROR, BINDING_REQUEST, FINGERPRINT_BYTES, HEADER_BYTES } from './constants.ts'
import { isStun, txIdOf } from './message.ts'

/** Why a datagram does not get an address (P-184). */
export type PlainRequestFailure =
  | 'notStun'
  | 'notBindingRequest'
  | 'wrongLength'
  | 'malformedAttributes'
  | 'wrongFingerprint'

/** A request to answer, one to reject with {@link encodeUnknownAttributes}, or the first reason not to reply. */
export type PlainRequestResult =
  | { readonly ok: true; readonly txId: Uint8Array }
  | {
      readonly ok: false
      readonly failure: 'unknownAttributes'
      readonly txId: Uint8Array
      readonly unknown: readonly number[]
    }
  | { readonly ok: false; readonly failure: PlainRequestFailure }

/** Types below this are comprehension-required (RFC 8489 section 14). */
const FIRST_OPTIONAL = 0x8000

/** Comprehension-required types of RFC 8489; without credentials to check they change nothing. */
const UNDERSTOOD: ReadonlySet<number> = new Set([
  0x0001, 0x0006, 0x0008, 0x0009, 0x000a, 0x0014, 0x0015, 0x001c, 0x001d, 0x001e, 0x0020,
])

/** Types listed in an error: it must not be much larger than the request. */
const MAX_LISTED = 2

/** Error number, without the text, which no program reads. */
const UNKNOWN_ATTRIBUTE_CODE = [0, 0, 4, 20]

export function parsePlainRequest(bytes: Uint8Array): PlainRequestResult {
  if (!isStun(bytes)) return { ok: false, failure: 'notStun' }
  if (readUint16(bytes, 0) !== BINDING_REQUEST) return { ok: false, failure: 'notBindingRequest' }
  if (readUint16(bytes, 2) !== bytes.length - HEADER_BYTES) return { ok: false, failure: 'wrongLength' }
  const unknown: number[] = []
  let isWhole = true
  let position = HEADER_BYTES
  const wellFormed = walkAttributes(bytes.subarray(HEADER_BYTES), (type, value) => {
    if (type < FIRST_OPTIONAL && !UNDERSTOOD.has(type) && unknown.length < MAX_LISTED) unknown.push(type)
    if (type === ATTRIBUTE.fingerprint) isWhole &&= isFingerprintAt(bytes, position)
    position += 4 + ((value.length + 3) & ~3)
  })
  if (!wellFormed) return { ok: false, failure: 'malformedAttributes' }
  if (!isWhole) return { ok: false, failure: 'wrongFingerprint' }
  const txId = txIdOf(bytes)
  return unknown.length === 0 ? { ok: true, txId } : { ok: false, failure: 'unknownAttributes', txId, unknown }
}

/** The error response with code 420 listing `unknown` (RFC 8489 sections 6.3.1 and 14.9). */
export function encodeUnknownAttributes(txId: Uint8Array, unknown: readonly number[]): Uint8Array {
  const listBytes = unknown.length * 2
  const message = allocateMessage(BINDING_ERROR, txId, 8 + 4 + ((listBytes + 3) & ~3))
  const view = new DataView(message.buffer)
  view.setUint16(HEADER_BYTES, ATTRIBUTE.errorCode)
  view.setUint16(HEADER_BYTES + 2, UNKNOWN_ATTRIBUTE_CODE.length)
  message.set(UNKNOWN_ATTRIBUTE_CODE, HEADER_BYTES + 4)
  const at = HEADER_BYTES + 8
  view.setUint16(at, ATTRIBUTE.unknownAttributes)
  view.setUint16(at + 2, listBytes)
  for (const [i, type] of unknown.entries()) view.setUint16(at + 4 + i * 2, type)
  return message
}

/** Whether a FINGERPRINT at `position` is correct and the last attribute. */
function isFingerprintAt(bytes: Uint8Array, position: number): boolean {
  if (position !== bytes.length - FINGERPRINT_BYTES || readUint16(bytes, position + 2) !== 4) return false
  return readUint32(bytes, position + 4) === fingerprint(bytes, position)
}
