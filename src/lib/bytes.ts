/** Byte array operations that the platform lacks. */

/** Shared empty array. */
export const EMPTY_BYTES: Uint8Array = new Uint8Array(0)

/** Concatenates `parts` into one exactly sized array. */
export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  let total = 0
  for (const part of parts) total += part.length
  const whole = new Uint8Array(total)
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/**
 * Copies `bytes` from `start` to `end` into a new array.
 *
 * `slice` does not work here: on Node's `Buffer`, which sockets deliver, it returns a view.
 */
export function copyBytes(bytes: Uint8Array, start = 0, end: number = bytes.length): Uint8Array {
  const copy = new Uint8Array(end - start)
  copy.set(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end))
  return copy
}

/** Compares contents. Not constant-time: never for secrets. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/** Reads a big-endian unsigned 32-bit integer; the caller has checked the bounds. */
export function readUint32(bytes: Uint8Array, offset: number): number {
  return (
    (bytes[offset] as number) * 0x1000000 +
    (((bytes[offset + 1] as number) << 16) | ((bytes[offset + 2] as number) << 8) | (bytes[offset + 3] as number))
  )
}

/** Writes a big-endian unsigned 32-bit integer; the caller has checked the bounds. */
export function writeUint32(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value >>> 24
  bytes[offset + 1] = value >>> 16
  bytes[offset + 2] = value >>> 8
  bytes[offset + 3] = value
}

const encoder = new TextEncoder()
// A byte order mark is an ordinary character.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** UTF-8 bytes of `text`. */
export const encodeUtf8 = (text: string): Uint8Array => encoder.encode(text)

/** Text of UTF-8 `bytes`; malformed sequences become U+FFFD. */
export const decodeUtf8 = (bytes: Uint8Array): string => decoder.decode(bytes)
