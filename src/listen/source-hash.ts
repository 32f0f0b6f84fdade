/** Slots of sources in tables shared by threads. Seeded, so that no one can choose sources that collide. */

import { createKeyHash, type KeyHash } from '../keys/key-hash.ts'
import { KEY_BYTES } from '../keys/key-text.ts'

/** For two hashes. */
export type SourceSeeds = readonly [number, number, number, number]

export function createSourceSeeds(): SourceSeeds {
  const [a = 0, b = 0, c = 0, d = 0] = crypto.getRandomValues(new Uint32Array(4))
  return [a, b, c, d]
}

export class SourceHash {
  readonly #bytes = new Uint8Array(KEY_BYTES)
  readonly #place: KeyHash
  readonly #mark: KeyHash
  /** For the source hashed last: 32 bits that give its slot. */
  place = 0
  /** 32 bits, not all zero, that distinguish it from others in the same slot. */
  mark = 0

  constructor(seeds: SourceSeeds) {
    this.#place = createKeyHash(seeds[0], seeds[1])
    this.#mark = createKeyHash(seeds[2], seeds[3])
  }

  /** Hashes a source as returned by `sourcePrefix`. */
  update(source: string): void {
    const bytes = this.#bytes.fill(0)
    for (let at = 0; at < source.length; at++) bytes[at] = source.charCodeAt(at)
    // An IPv4 address followed by zeros differs from an IPv6 network.
    bytes[KEY_BYTES - 1] = source.length
    this.place = this.#place(bytes, 0) >>> 0
    this.mark = this.#mark(bytes, 0) || 1
  }
}
