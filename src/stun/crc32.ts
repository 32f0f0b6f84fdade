/** CRC-32 of ISO 3309, the checksum under the STUN fingerprint (RFC 8489 section 14.7). */

const REVERSED_POLYNOMIAL = 0xedb88320

const TABLE: Int32Array = Int32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte
  for (let bit = 0; bit < 8; bit++) rest = (rest & 1) === 1 ? (rest >>> 1) ^ REVERSED_POLYNOMIAL : rest >>> 1
  return rest
})

/** The checksum of the first `length` bytes, as an unsigned number. */
export function crc32(bytes: Uint8Array, length: number = bytes.length): number {
  let rest = -1
  for (let i = 0; i < length; i++) rest = (rest >>> 8) ^ (TABLE[(rest ^ (bytes[i] as number)) & 0xff] as number)
  return ~rest >>> 0
}
