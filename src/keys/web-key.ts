/**
 * Private keys with WebCrypto, which is asynchronous: factories resolve once the public key is computed (P-020, P-021).
 */

import { KeyError } from './key-error.ts'
import { copySecret, generateSecret, PrivateKey, parseSecret, type SecretBytes } from './private-key.ts'
import { NodePublicKey } from './public-key.ts'
import { webX25519 } from './web-x25519.ts'

/**
 * A private key. Like in Node, but factories return promises; code that awaits them works with both.
 *
 * Immutable; the bytes are in a private field and never show by accident.
 *
 * @example
 * ```ts
 * const key = await NodePrivateKey.generate()
 * localStorage.setItem('key', key.exportText())
 * const same = await NodePrivateKey.parse(key.exportText())
 * ```
 */
export class WebPrivateKey extends PrivateKey {
  readonly #publicKey: NodePublicKey | undefined

  private constructor(secret: SecretBytes, publicKey: NodePublicKey | undefined) {
    super(secret)
    this.#publicKey = publicKey
  }

  /** A random key, clamped as NaCl box requires. */
  static generate(): Promise<WebPrivateKey> {
    return WebPrivateKey.#of(generateSecret())
  }

  /** Copies exactly 32 bytes unchanged, without clamping. Rejects with a KeyError for another length. */
  static async fromBytes(bytes: Uint8Array): Promise<WebPrivateKey> {
    return WebPrivateKey.#of(copySecret(bytes))
  }

  /** Parses `privkey:` and 64 hex digits, or the digits alone, without clamping. Rejects with a KeyError. */
  static async parse(text: string): Promise<WebPrivateKey> {
    return WebPrivateKey.#of(parseSecret(text))
  }

  /** The public key. @throws KeyError for the all-zero key. */
  publicKey(): NodePublicKey {
    if (this.#publicKey !== undefined) return this.#publicKey
    throw new KeyError('derive node public key: private key is all zero', { clause: 'P-020' })
  }

  static async #of(secret: SecretBytes): Promise<WebPrivateKey> {
    const isZero = secret.every(byte => byte === 0)
    return new WebPrivateKey(secret, isZero ? undefined : NodePublicKey.fromBytes(await webX25519.publicKey(secret)))
  }
}
