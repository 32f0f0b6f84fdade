/**
 * Private keys where the curve is WebCrypto's and so answers later: a key is there once its public half is (P-020, P-021).
 */

import { KeyError } from './key-error.ts'
import { copySecret, generateSecret, PrivateKey, parseSecret, type SecretBytes } from './private-key.ts'
import { NodePublicKey } from './public-key.ts'
import { webX25519 } from './web-x25519.ts'

/**
 * The secret half. As in Node, but its factories give promises: `await` them, which in Node does no harm.
 *
 * Immutable; the bytes live in a private field and never show by accident.
 */
export class WebPrivateKey extends PrivateKey {
  readonly #publicKey: NodePublicKey | undefined

  private constructor(secret: SecretBytes, publicKey: NodePublicKey | undefined) {
    super(secret)
    this.#publicKey = publicKey
  }

  /** A fresh random key, clamped as NaCl box wants it. */
  static generate(): Promise<WebPrivateKey> {
    return WebPrivateKey.#of(generateSecret())
  }

  /** Copies exactly 32 bytes, as they are: no clamping. Rejects with a KeyError for another length. */
  static async fromBytes(bytes: Uint8Array): Promise<WebPrivateKey> {
    return WebPrivateKey.#of(copySecret(bytes))
  }

  /** Reads `privkey:` and 64 hex digits, or the digits alone, as they are: no clamping. Rejects with a KeyError. */
  static async parse(text: string): Promise<WebPrivateKey> {
    return WebPrivateKey.#of(parseSecret(text))
  }

  /** The public half. @throws KeyError for the all-zero key. */
  publicKey(): NodePublicKey {
    if (this.#publicKey !== undefined) return this.#publicKey
    throw new KeyError('derive node public key: private key is all zero', { clause: 'P-020' })
  }

  static async #of(secret: SecretBytes): Promise<WebPrivateKey> {
    const isZero = secret.every(byte => byte === 0)
    return new WebPrivateKey(secret, isZero ? undefined : NodePublicKey.fromBytes(await webX25519.publicKey(secret)))
  }
}
