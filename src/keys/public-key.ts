/** The public half of a node key: the X25519 point that names a client or a relay (P-020, P-021). */

import { equalBytes } from '../lib/bytes.ts'
import { copyKey, formatHex, isZeroKey, KEY_BYTES, type KeyForm, parseKeyText } from './key-text.ts'

const PUBLIC_FORM: KeyForm = { name: 'node public key', prefix: 'nodekey:', shown: true }

/**
 * A public key: the address of a peer on a relay. Immutable.
 *
 * @example
 * ```ts
 * const peer = NodePublicKey.parse('nodekey:3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29')
 * console.log(peer.shortString(), peer.equals(privateKey.publicKey()))
 * ```
 */
export class NodePublicKey {
  /** Bytes of a key: 32. */
  static readonly byteLength: number = KEY_BYTES

  /** The 32 bytes, not a copy: callers must not modify them. */
  readonly bytes: Uint8Array

  private constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  /** Copies exactly 32 bytes, so that the key does not pin a network buffer. @throws KeyError for another length. */
  static fromBytes(bytes: Uint8Array): NodePublicKey {
    return new NodePublicKey(copyKey(bytes, PUBLIC_FORM))
  }

  /** Parses `nodekey:` and 64 hex digits, or the digits alone. @throws KeyError */
  static parse(text: string): NodePublicKey {
    return new NodePublicKey(parseKeyText(text, PUBLIC_FORM))
  }

  /** Whether this is the invalid all-zero key. */
  isZero(): boolean {
    return isZeroKey(this.bytes)
  }

  /** Whether both have the same bytes. Not constant-time: public keys are no secrets. */
  equals(other: NodePublicKey): boolean {
    return equalBytes(this.bytes, other.bytes)
  }

  /** `nodekey:` and 64 hex digits. */
  toString(): string {
    return PUBLIC_FORM.prefix + this.toHex()
  }

  /** The same text as {@link toString}. */
  toJSON(): string {
    return this.toString()
  }

  /** 64 lowercase hex digits. */
  toHex(): string {
    return formatHex(this.bytes)
  }

  /** Short form for logs: the first five base64 digits in brackets; empty for the zero key. */
  shortString(): string {
    return this.isZero() ? '' : `[${btoa(String.fromCharCode(...this.bytes.subarray(0, 4))).slice(0, 5)}]`
  }
}
