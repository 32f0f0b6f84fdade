/**
 * The secret half of a node key, without the curve: how the public half is derived differs by platform (P-020, P-021).
 *
 * A private key never shows in logs, JSON or strings; only the methods named `export…` reveal it.
 */

import { argumentError } from './argument-error.ts'
import { equalConstantTime } from './constant-time.ts'
import { copyKey, formatHex, isZeroKey, KEY_BYTES, type KeyForm, parseKeyText } from './key-text.ts'
import type { NodePublicKey } from './public-key.ts'

const PRIVATE_FORM: KeyForm = { name: 'node private key', prefix: 'privkey:', shown: false }
const REDACTED = `${PRIVATE_FORM.prefix}[redacted]`

/** 32 bytes of a secret key. */
export type SecretBytes = Uint8Array<ArrayBuffer>

/** What every private key can do, whatever derives its public half. Immutable; the bytes never show by accident. */
export abstract class PrivateKey {
  readonly #secret: SecretBytes

  /** @internal */
  protected constructor(secret: SecretBytes) {
    this.#secret = secret
  }

  /** The public half. @throws KeyError for the all-zero key. */
  abstract publicKey(): NodePublicKey

  /** Whether this is the invalid all-zero key. */
  isZero(): boolean {
    return isZeroKey(this.#secret)
  }

  /** Compares in constant time. */
  equals(other: PrivateKey): boolean {
    return equalConstantTime(this.#secret, other.#secret)
  }

  /** The secret as text, `privkey:` and 64 hex digits. */
  exportText(): string {
    return PRIVATE_FORM.prefix + formatHex(this.#secret)
  }

  /** The secret as a copy that the caller owns and should overwrite after use. */
  exportBytes(): SecretBytes {
    return new Uint8Array(this.#secret)
  }

  /** A placeholder that does not show the key. */
  toString(): string {
    return REDACTED
  }

  /** A placeholder that does not show the key. */
  toJSON(): string {
    return REDACTED
  }
}

/** @throws TypeError unless it is a private key. */
export function assertPrivateKey(action: string, key: unknown): void {
  if (key instanceof PrivateKey) return
  throw argumentError(action, 'privateKey', key, 'a NodePrivateKey', 'NodePrivateKey.parse reads text')
}

/** A fresh random secret, clamped as NaCl box wants it. */
export function generateSecret(): SecretBytes {
  const secret = crypto.getRandomValues(new Uint8Array(KEY_BYTES))
  secret[0] = (secret[0] as number) & 0xf8
  secret[31] = ((secret[31] as number) & 0x7f) | 0x40
  return secret
}

/** Copies exactly 32 bytes, as they are: no clamping. @throws KeyError for another length. */
export function copySecret(bytes: Uint8Array): SecretBytes {
  return copyKey(bytes, PRIVATE_FORM)
}

/** Reads `privkey:` and 64 hex digits, or the digits alone, as they are: no clamping. @throws KeyError */
export function parseSecret(text: string): SecretBytes {
  return parseKeyText(text, PRIVATE_FORM)
}
