/**
 * X25519 (RFC 7748) in plain JavaScript; a few milliseconds a multiplication, so for key derivation and as a fallback only.
 *
 * Clamps the scalar and ignores the top bit of the point, as every implementation does.
 */

import { x25519 } from '@noble/curves/ed25519.js'

/** After so many keys, a table of multiples of the base point is worth its making, some 50 ms. */
const KEYS_BEFORE_TABLE = 16
const BASE_POINT = Uint8Array.from({ length: 32 }, (_, at) => (at === 0 ? 9 : 0))

let keys = 0

/** The public key of a secret scalar. */
export function x25519PublicKey(secret: Uint8Array): Uint8Array {
  return ++keys > KEYS_BEFORE_TABLE ? x25519.getPublicKey(secret) : x25519.getSharedSecret(secret, BASE_POINT)
}

/** The raw shared secret. @throws Error for a public key of low order, whose secret would be zero for everyone. */
export function x25519SharedSecret(secret: Uint8Array, publicKey: Uint8Array): Uint8Array {
  return x25519.getSharedSecret(secret, publicKey)
}
