/**
 * Key agreement for browsers and other runtimes: WebCrypto X25519 if present, otherwise plain JavaScript (P-022).
 */

import { assertNotZero, type KeyAgreement, lowOrderError } from './box.ts'
import type { NodePrivateKey, NodePublicKey } from './node-key.ts'
import { precompute } from './secretbox.ts'
import { x25519SharedSecret } from './x25519.ts'

/** The platform's WebCrypto, or the two methods used. */
export type X25519Subtle = Pick<typeof globalThis.crypto.subtle, 'importKey' | 'deriveBits'>

// RFC 8410 section 7: a PKCS #8 document without the 32 bytes of the key. Chromium does not import raw private keys.
const PKCS8_PREFIX = Uint8Array.of(0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x6e, 4, 0x22, 4, 0x20)

/** @param subtle undefined to avoid WebCrypto, as on pages from insecure origins. */
export function createPortableAgreement(subtle: X25519Subtle | undefined): KeyAgreement {
  const imported = new WeakMap<NodePrivateKey, Promise<CryptoKey>>()
  let native = subtle

  function importPrivate(using: X25519Subtle, privateKey: NodePrivateKey): Promise<CryptoKey> {
    let key = imported.get(privateKey)
    if (key === undefined) {
      key = importPkcs8(using, privateKey)
      imported.set(privateKey, key)
    }
    return key
  }

  async function nativeSecret(privateKey: NodePrivateKey, publicKey: NodePublicKey): Promise<Uint8Array | undefined> {
    const using = native
    if (using === undefined) return undefined
    const own = await importPrivate(using, privateKey).catch(() => undefined)
    if (own === undefined) {
      native = undefined
      return undefined
    }
    try {
      const peer = await using.importKey('raw', new Uint8Array(publicKey.bytes), 'X25519', false, [])
      return new Uint8Array(await using.deriveBits({ name: 'X25519', public: peer }, own, 256))
    } catch {
      // Low order, or a platform quirk: the plain implementation decides.
      return undefined
    }
  }

  return {
    async agree(privateKey, publicKey) {
      assertNotZero(privateKey, publicKey)
      return precompute((await nativeSecret(privateKey, publicKey)) ?? plainSecret(privateKey, publicKey))
    },
  }
}

/** The agreement for the current platform. */
export const portableAgreement: KeyAgreement = createPortableAgreement(globalThis.crypto?.subtle)

async function importPkcs8(subtle: X25519Subtle, privateKey: NodePrivateKey): Promise<CryptoKey> {
  const secret = privateKey.exportBytes()
  const document = new Uint8Array(PKCS8_PREFIX.length + secret.length)
  document.set(PKCS8_PREFIX)
  document.set(secret, PKCS8_PREFIX.length)
  secret.fill(0)
  try {
    return await subtle.importKey('pkcs8', document, 'X25519', false, ['deriveBits'])
  } finally {
    document.fill(0)
  }
}

function plainSecret(privateKey: NodePrivateKey, publicKey: NodePublicKey): Uint8Array {
  const secret = privateKey.exportBytes()
  try {
    return x25519SharedSecret(secret, publicKey.bytes)
  } catch (cause) {
    throw lowOrderError(publicKey, cause)
  } finally {
    secret.fill(0)
  }
}
