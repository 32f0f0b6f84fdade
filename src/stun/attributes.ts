/** The type-length-value list after a STUN header, padded to words (RFC 8489 section 14). */

import { FINGERPRINT_XOR, HEADER_BYTES, MAGIC_COOKIE, TX_ID_BYTES, TX_ID_OFFSET } from './constants.ts'
import { crc32 } from './crc32.ts'

/** Visits every attribute in order, with a view of its value without padding; false if one is truncated. */
export function walkAttributes(list: Uint8Array, visit: (type: number, value: Uint8Array) => void): boolean {
  let at = 0
  while (at < list.length) {
    if (list.length - at < 4) return false
    const length = readUint16(list, at + 2)
    const next = at + 4 + ((length + 3) & ~3)
    if (next > list.length) return false
    visit(readUint16(list, at), list.subarray(at + 4, at + 4 + length))
    at = next
  }
  return true
}

/** A message with its header written and room for `attributeBytes` (section 5). */
export function allocateMessage(type: number, txId: Uint8Array, attributeBytes: number): Uint8Array {
  if (txId.length !== TX_ID_BYTES) {
    throw new RangeError(`use transaction id of ${txId.length} bytes: expected ${TX_ID_BYTES}`)
  }
  const message = new Uint8Array(HEADER_BYTES + attributeBytes)
  const view = new DataView(message.buffer)
  view.setUint16(0, type)
  view.setUint16(2, attributeBytes)
  view.setUint32(4, MAGIC_COOKIE)
  message.set(txId, TX_ID_OFFSET)
  return message
}

/** The FINGERPRINT value over the first `length` bytes (section 14.7). */
export function fingerprint(message: Uint8Array, length: number): number {
  return (crc32(message, length) ^ FINGERPRINT_XOR) >>> 0
}

/** Reads a big-endian unsigned 16-bit integer; the caller has checked the bounds. */
export function readUint16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number)
}
