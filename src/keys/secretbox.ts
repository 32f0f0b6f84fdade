/**
 * The cheap half of NaCl box: XSalsa20-Poly1305 under an agreed key, preceded by the nonce (P-022).
 *
 *     sealed = nonce (24) ‖ tag (16) ‖ ciphertext
 */

import { hsalsa, xsalsa20poly1305 } from '@noble/ciphers/salsa.js'

/** Bytes of the random nonce at the start of a sealed box. */
export const NONCE_BYTES = 24
/** Bytes of the authentication tag after the nonce. */
export const TAG_BYTES = 16

const SHARED_KEY_BYTES = 32
const NONCES_AT_ONCE = 64
// The cipher computes its one-time key in the 32 bytes before the ciphertext; half of them become the tag.
const SCRATCH_BYTES = 16
const SIGMA = new Uint32Array(new TextEncoder().encode('expand 32-byte k').buffer)
const ZERO_NONCE = new Uint32Array(4)

/** The box key of a raw X25519 result: HSalsa20 with a zero nonce. */
export function precompute(rawShared: Uint8Array): Uint8Array {
  assertLength('raw shared secret', rawShared, SHARED_KEY_BYTES)
  const key = new Uint32Array(new Uint8Array(rawShared).buffer)
  const out = new Uint32Array(8)
  hsalsa(SIGMA, key, ZERO_NONCE, out)
  key.fill(0)
  return new Uint8Array(out.buffer)
}

/**
 * Seals under an agreed key; the result is one new buffer, 40 bytes longer than `plaintext`.
 *
 * @param nonce for tests only: 24 bytes, which must never repeat. Default: random.
 * @throws RangeError for a shared key of other than 32 bytes.
 * @example
 * ```ts
 * const sharedKey = await portableAgreement.agree(privateKey, peer)
 * const sealed = sealBox(sharedKey, new TextEncoder().encode('for the peer alone'))
 * ```
 */
export function sealBox(sharedKey: Uint8Array, plaintext: Uint8Array, nonce: Uint8Array = randomNonce()): Uint8Array {
  assertLength('shared key', sharedKey, SHARED_KEY_BYTES)
  assertLength('nonce', nonce, NONCE_BYTES)
  const sealed = new Uint8Array(NONCE_BYTES + TAG_BYTES + plaintext.length)
  // The cipher leaves scratch data in the nonce's place, so the nonce is written last.
  xsalsa20poly1305(sharedKey, nonce).encrypt(plaintext, sealed.subarray(NONCE_BYTES - SCRATCH_BYTES))
  sealed.set(nonce)
  return sealed
}

/**
 * Opens under an agreed key; undefined if too short or forged.
 *
 * @throws RangeError for a shared key of other than 32 bytes.
 * @example
 * ```ts
 * const sharedKey = await portableAgreement.agree(privateKey, peer)
 * const opened = openBox(sharedKey, bytes)
 * console.log(opened === undefined ? 'forged' : new TextDecoder().decode(opened))
 * ```
 */
export function openBox(sharedKey: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
  assertLength('shared key', sharedKey, SHARED_KEY_BYTES)
  if (sealed.length < NONCE_BYTES + TAG_BYTES) return undefined
  try {
    return xsalsa20poly1305(sharedKey, sealed.subarray(0, NONCE_BYTES)).decrypt(sealed.subarray(NONCE_BYTES))
  } catch {
    // All lengths have been checked: only the tag can fail.
    return undefined
  }
}

/** Random bytes for upcoming nonces: asking the platform each time costs as much as half a box. */
let randomBytes = new Uint8Array(0)

/** Each byte is used once. */
function randomNonce(): Uint8Array {
  if (randomBytes.length === 0) randomBytes = crypto.getRandomValues(new Uint8Array(NONCE_BYTES * NONCES_AT_ONCE))
  const nonce = randomBytes.slice(0, NONCE_BYTES)
  randomBytes = randomBytes.subarray(NONCE_BYTES)
  return nonce
}

function assertLength(name: string, bytes: Uint8Array, wanted: number): void {
  if (bytes.length !== wanted) throw new RangeError(`use ${name} of ${bytes.length} bytes: expected ${wanted}`)
}
