/** Reads the choices of a target from its input; past the end everything is zero or empty. */

export class InputReader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get left(): number {
    return this.#bytes.length - this.#at
  }

  byte(): number {
    return this.#bytes[this.#at++] ?? 0
  }

  /** A whole number from 0 to below `below`, at most 256. */
  below(below: number): number {
    return this.byte() % below
  }

  /** @throws Error if there is none. */
  oneOf<T>(choices: readonly T[]): T {
    if (choices.length === 0) throw new Error('choose by input: nothing to choose from')
    return choices[this.below(choices.length)] as T
  }

  /** At most `length` bytes. */
  take(length: number): Uint8Array {
    const from = Math.min(this.#at, this.#bytes.length)
    this.#at = Math.min(this.#bytes.length, from + length)
    return this.#bytes.slice(from, this.#at)
  }

  rest(): Uint8Array {
    return this.take(this.left)
  }
}

/** Splits bytes as two bytes per piece say; what they do not is the last piece. */
export function splitBy(sizes: Uint8Array, bytes: Uint8Array): Uint8Array[] {
  const pieces: Uint8Array[] = []
  let at = 0
  for (const size of sizes) {
    pieces.push(bytes.slice(at, at + size))
    at += size
    if (at >= bytes.length) break
  }
  if (at < bytes.length) pieces.push(bytes.slice(at))
  return pieces
}

export const hexOf = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')
export const latin1 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
export const utf8 = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
