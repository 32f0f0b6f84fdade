/** Reproducible payloads. */

/** `size` bytes of the xorshift32 sequence of `seed`; the Go programs of the interop tests generate the same. */
export function payload(size: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(size)
  let x = seed === 0 ? 1 : seed | 0
  for (let at = 0; at < size; at++) {
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    bytes[at] = x & 255
  }
  return bytes
}
