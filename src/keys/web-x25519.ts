/**
 * X25519 by WebCrypto where the platform has it, else in plain JavaScript, which is loaded only then (P-022).
 *
 * Pages from insecure origins have no WebCrypto, older browsers no X25519 in it.
 */

import { lowOrderError } from './box.ts'
import type { PrivateKey, SecretBytes } from './private-key.ts'
import type { NodePublicKey } from './public-key.ts'

/** The platform's WebCrypto, or the two methods of it that are used. */
export type X25519Subtle = Pick<typeof globalThis.crypto.subtle, 'importKey' | 'deriveBits'>

// RFC 8410 section 7: everything of a PKCS #8 document but the 32 bytes of the key. Chromium takes no raw private key.
const PKCS8_PREFIX = Uint8Array.of(0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x6e, 4, 0x22, 4, 0x20)
const BASE_POINT = new Uint8Array(32).fill(9, 0, 1)

export class WebX25519 {
  #subtle: X25519Subtle | undefined
  readonly #imported = new WeakMap<PrivateKey, Promise<CryptoKey>>()

  /** @param subtle undefined to do without WebCrypto. */
  constructor(subtle: X25519Subtle | undefined) {
    this.#subtle = subtle
  }

  /** The public key of a secret, which is not kept. */
  async publicKey(secret: SecretBytes): Promise<Uint8Array> {
    const native = await this.#derive(subtle => importPkcs8(subtle, secret), BASE_POINT)
    return native ?? (await import('./x25519.ts')).x25519PublicKey(secret)
  }

  /** The raw shared secret. @throws KeyError for a public key of low order. */
  async sharedSecret(privateKey: PrivateKey, publicKey: NodePublicKey): Promise<Uint8Array> {
    const native = await this.#derive(subtle => this.#importOnce(subtle, privateKey), publicKey.bytes)
    if (native !== undefined) return native
    const { x25519SharedSecret } = await import('./x25519.ts')
    const secret = privateKey.exportBytes()
    try {
      return x25519SharedSecret(secret, publicKey.bytes)
    } catch (cause) {
      throw lowOrderError(publicKey, cause)
    } finally {
      secret.fill(0)
    }
  }

  async #derive(
    importOwn: (subtle: X25519Subtle) => Promise<CryptoKey>,
    point: Uint8Array,
  ): Promise<Uint8Array | undefined> {
    const subtle = this.#subtle
    if (subtle === undefined) return undefined
    const own = await importOwn(subtle).catch(() => undefined)
    if (own === undefined) {
      // It does not support the curve: do not ask again.
      this.#subtle = undefined
      return undefined
    }
    try {
      const peer = await subtle.importKey('raw', new Uint8Array(point), 'X25519', false, [])
      return new Uint8Array(await subtle.deriveBits({ name: 'X25519', public: peer }, own, 256))
    } catch {
      // Low order, or a platform's quirk: the plain implementation tells which.
      return undefined
    }
  }

  #importOnce(subtle: X25519Subtle, privateKey: PrivateKey): Promise<CryptoKey> {
    let key = this.#imported.get(privateKey)
    if (key === undefined) {
      const secret = privateKey.exportBytes()
      key = importPkcs8(subtle, secret).finally(() => secret.fill(0))
      this.#imported.set(privateKey, key)
    }
    return key
  }
}

/** X25519 of the platform this runs on. */
export const webX25519: WebX25519 = new WebX25519(globalThis.crypto?.subtle)

async function importPkcs8(subtle: X25519Subtle, secret: SecretBytes): Promise<CryptoKey> {
  const document = new Uint8Array(PKCS8_PREFIX.length + secret.length)
  document.set(PKCS8_PREFIX)
  document.set(secret, PKCS8_PREFIX.length)
  try {
    return await subtle.importKey('pkcs8', document, 'X25519', false, ['deriveBits'])
  } finally {
    document.fill(0)
  }
}
