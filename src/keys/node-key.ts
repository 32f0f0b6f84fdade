/**
 * Node keys: the X25519 key pair that names a client or a relay (P-020).
 *
 * A private key never shows in logs, JSON or strings; only the methods named `export…` reveal it.
 */

import { equalBytes } from '../lib/bytes.ts'
import { equalConstantTime } from './constant-time.ts'
import { defineInspect } from './inspect.ts'
import { KeyError } from './key-error.ts'
import { formatHex, KEY_BYTES, type KeyForm, parseKeyText } from './key-text.ts'
import { x25519PublicKey } from './x25519.ts'

const PUBLIC_FORM: KeyForm = { name: 'node public key', prefix: 'nodekey:', shown: true }
const PRIVATE_FORM: KeyForm = { name: 'node private key', prefix: 'privkey:', shown: false }
const REDACTED = `${PRIVATE_FORM.prefix}[redacted]`

/** A public key: the address of a peer on a relay. Immutable. */
export class NodePublicKey {
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
    return isZero(this.bytes)
  }

  equals(other: NodePublicKey): boolean {
    return equalBytes(this.bytes, other.bytes)
  }

  /** `nodekey:` and 64 hex digits. */
  toString(): string {
    return PUBLIC_FORM.prefix + this.toHex()
  }

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

  static {
    defineInspect(NodePublicKey.prototype, key => `NodePublicKey(${key.toString()})`)
  }
}

/** A private key. Immutable; the bytes are in a private field and never show by accident. */
export class NodePrivateKey {
  readonly #secret: Uint8Array<ArrayBuffer>
  #publicKey: NodePublicKey | undefined

  private constructor(secret: Uint8Array<ArrayBuffer>) {
    this.#secret = secret
  }

  /** A random key, clamped as NaCl box requires. */
  static generate(): NodePrivateKey {
    const secret = crypto.getRandomValues(new Uint8Array(KEY_BYTES))
    secret[0] = (secret[0] as number) & 0xf8
    secret[31] = ((secret[31] as number) & 0x7f) | 0x40
    return new NodePrivateKey(secret)
  }

  /** Copies exactly 32 bytes unchanged, without clamping. @throws KeyError for another length. */
  static fromBytes(bytes: Uint8Array): NodePrivateKey {
    return new NodePrivateKey(copyKey(bytes, PRIVATE_FORM))
  }

  /** Parses `privkey:` and 64 hex digits, or the digits alone, without clamping. @throws KeyError */
  static parse(text: string): NodePrivateKey {
    return new NodePrivateKey(parseKeyText(text, PRIVATE_FORM))
  }

  /** The public key, computed once. @throws KeyError for the all-zero key. */
  publicKey(): NodePublicKey {
    if (this.#publicKey === undefined) {
      if (this.isZero()) throw new KeyError('derive node public key: private key is all zero', { clause: 'P-020' })
      this.#publicKey = NodePublicKey.fromBytes(x25519PublicKey(this.#secret))
    }
    return this.#publicKey
  }

  /** Whether this is the invalid all-zero key. */
  isZero(): boolean {
    return isZero(this.#secret)
  }

  /** Compares in constant time. */
  equals(other: NodePrivateKey): boolean {
    return equalConstantTime(this.#secret, other.#secret)
  }

  /** The secret as text: `privkey:` and 64 hex digits. */
  exportText(): string {
    return PRIVATE_FORM.prefix + formatHex(this.#secret)
  }

  /** A copy of the secret, which the caller should overwrite after use. */
  exportBytes(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#secret)
  }

  toString(): string {
    return REDACTED
  }

  toJSON(): string {
    return REDACTED
  }

  static {
    defineInspect(NodePrivateKey.prototype, () => `NodePrivateKey(${REDACTED})`)
  }
}

function copyKey(bytes: Uint8Array, form: KeyForm): Uint8Array<ArrayBuffer> {
  if (bytes.length !== KEY_BYTES) {
    throw new KeyError(`read ${form.name}: has ${bytes.length} bytes, expected ${KEY_BYTES}`, { clause: 'P-020' })
  }
  return new Uint8Array(bytes)
}

// No early exit: also used for secrets.
function isZero(bytes: Uint8Array): boolean {
  let seen = 0
  for (const byte of bytes) seen |= byte
  return seen === 0
}
