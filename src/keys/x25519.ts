/**
 * X25519 (RFC 7748) in plain JavaScript; some 1 ms a multiplication, so for key derivation and as a fallback only.
 *
 * Clamps the scalar and ignores the top bit of the point, as every implementation does.
 */

import { x25519 } from '@noble/curves/ed25519.js'

/** The public key of a secret scalar. */
export function x25519PublicKey(secret: Uint8Array): Uint8Array {
  return x25519.getPublicKey(secret)
}

/** The raw shared secret. @throws Error for a public key of low order, whose secret would be zero for everyone. */
export function x25519SharedSecret(secret: Uint8Array, publicKey: Uint8Array): Uint8Array {
  return x25519.getSharedSecret(secret, publicKey)
}
