/** The secret shared by the relays of a mesh and by clients with mesh privileges (P-023). */

import { defineInspect } from './inspect.ts'
import { KeyError } from './key-error.ts'

const FORM = /^[0-9a-f]{64}$/
const REDACTED = 'meshkey:[redacted]'

/**
 * A mesh key. Never shows in logs, JSON or strings; only {@link MeshKey.exportText} reveals it.
 *
 * @example
 * ```ts
 * const meshKey = MeshKey.parse('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
 * const client = new Client(privateKey, url, { meshKey })
 * ```
 */
export class MeshKey {
  readonly #text: string

  private constructor(text: string) {
    this.#text = text
  }

  /** Parses 64 lowercase hex digits, surrounding white space allowed. @throws KeyError */
  static parse(text: string): MeshKey {
    const trimmed = text.trim()
    if (!FORM.test(trimmed)) {
      throw new KeyError(`parse mesh key of ${trimmed.length} characters: must be exactly 64 lowercase hex digits`, {
        clause: 'P-023',
      })
    }
    return new MeshKey(trimmed)
  }

  /** Compares with text from a client, untrimmed, in constant time; false for any other length. */
  matches(candidate: string): boolean {
    const own = this.#text
    if (candidate.length !== own.length) return false
    let difference = 0
    for (let i = 0; i < own.length; i++) difference |= own.charCodeAt(i) ^ candidate.charCodeAt(i)
    return difference === 0
  }

  /** The secret as text, 64 hex digits. */
  exportText(): string {
    return this.#text
  }

  /** A placeholder that does not show the key. */
  toString(): string {
    return REDACTED
  }

  /** A placeholder that does not show the key. */
  toJSON(): string {
    return REDACTED
  }

  static {
    defineInspect(MeshKey.prototype, () => `MeshKey(${REDACTED})`)
  }
}
