/**
 * The port for the expensive half of NaCl box: agreeing on a shared key (P-022).
 *
 * Sealing and opening with that key are cheap and synchronous, see secretbox.ts.
 */

import { KeyError } from './key-error.ts'
import type { PrivateKey } from './private-key.ts'
import type { NodePublicKey } from './public-key.ts'

/** Computes shared keys. */
export interface KeyAgreement {
  /**
   * The 32-byte precomputed key of NaCl box: HSalsa20 of the X25519 result.
   *
   * Rejects with a KeyError for a zero key of either side and for a public key of low order.
   */
  agree(privateKey: PrivateKey, publicKey: NodePublicKey): Promise<Uint8Array>
}

/** @throws KeyError if either key is all zero */
export function assertNotZero(privateKey: PrivateKey, publicKey: NodePublicKey): void {
  if (privateKey.isZero()) throw new KeyError('agree on shared key: private key is all zero', { clause: 'P-020' })
  if (publicKey.isZero()) throw new KeyError('agree on shared key: public key is all zero', { clause: 'P-020' })
}

/** The rejection when X25519 yields all zeros. */
export function lowOrderError(publicKey: NodePublicKey, cause: unknown): KeyError {
  return new KeyError(`agree on shared key with ${publicKey.shortString()}: public key has low order`, {
    clause: 'P-020',
    cause,
  })
}
