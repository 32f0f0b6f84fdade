/** Key agreement for browsers and other runtimes, by what {@link WebX25519} finds there (P-022). */

import { assertNotZero, type KeyAgreement } from './box.ts'
import { precompute } from './secretbox.ts'
import { WebX25519, webX25519, type X25519Subtle } from './web-x25519.ts'

/**
 * Creates a key agreement from web APIs, for `openBox` and `sealBox`; X25519 in plain JavaScript where WebCrypto
 * lacks it.
 *
 * @param subtle undefined to avoid WebCrypto, as on pages from insecure origins.
 * @example
 * ```ts
 * const agreement = createPortableAgreement(undefined)
 * const sharedKey = await agreement.agree(privateKey, peer)
 * ```
 */
export function createPortableAgreement(subtle: X25519Subtle | undefined): KeyAgreement {
  return agreementBy(new WebX25519(subtle))
}

/** The agreement of the platform this runs on. */
export const portableAgreement: KeyAgreement = agreementBy(webX25519)

function agreementBy(x25519: WebX25519): KeyAgreement {
  return {
    async agree(privateKey, publicKey) {
      assertNotZero(privateKey, publicKey)
      return precompute(await x25519.sharedSecret(privateKey, publicKey))
    },
  }
}
