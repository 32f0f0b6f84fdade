/**
 * Key agreement on Node: native X25519 (P-022).
 *
 * Runs synchronously: 50 µs are a tenth of the preceding TLS handshake on the same thread, and a round trip to the
 * thread pool costs as much again. The listener limits how many logins one turn of the event loop handles.
 */

import { createPrivateKey, createPublicKey, diffieHellman, type KeyObject } from 'node:crypto'
import { assertNotZero, type KeyAgreement, lowOrderError } from './box.ts'
import type { PrivateKey } from './private-key.ts'
import type { NodePublicKey } from './public-key.ts'
import { precompute } from './secretbox.ts'

/** Creates the native form of 32 public key bytes. */
export type ImportPublicKey = (bytes: Uint8Array) => KeyObject

// RFC 8410 sections 4 and 7: the DER documents without the 32 bytes of the key.
const SPKI_PREFIX = Buffer.from('302a300506032b656e032100', 'hex')
const PKCS8_PREFIX = Buffer.from('302e020100300506032b656e04220420', 'hex')
const BASE_POINT = new Uint8Array(32).fill(9, 0, 1)

/** Imports a DER document: works on every Node. */
export const importSpki: ImportPublicKey = bytes =>
  createPublicKey({ key: Buffer.concat([SPKI_PREFIX, bytes]), format: 'der', type: 'spki' })

/** Imports the raw bytes: cheaper, from Node 26 on. */
const importRaw: ImportPublicKey = bytes =>
  createPublicKey({ key: bytes, format: 'raw-public', asymmetricKeyType: 'x25519' })

/** Agreement over native keys. */
export function createNodeAgreement(importPublic: ImportPublicKey): KeyAgreement {
  // A relay uses one private key for every login: its native form is created once and dies with it.
  const natives = new WeakMap<PrivateKey, KeyObject>()

  function nativePrivate(privateKey: PrivateKey): KeyObject {
    let native = natives.get(privateKey)
    if (native === undefined) {
      native = importPrivate(privateKey)
      natives.set(privateKey, native)
    }
    return native
  }

  return {
    async agree(privateKey, publicKey) {
      assertNotZero(privateKey, publicKey)
      return precompute(rawSecret(nativePrivate(privateKey), importPublic(publicKey.bytes), publicKey))
    },
  }
}

/** The agreement for this Node. */
export const nodeAgreement: KeyAgreement = createNodeAgreement(takesRawKeys() ? importRaw : importSpki)

function rawSecret(privateKey: KeyObject, native: KeyObject, publicKey: NodePublicKey): Uint8Array {
  try {
    return diffieHellman({ privateKey, publicKey: native })
  } catch (error) {
    // Two X25519 keys can only fail this way.
    throw lowOrderError(publicKey, error)
  }
}

function importPrivate(privateKey: PrivateKey): KeyObject {
  const secret = privateKey.exportBytes()
  const document = Buffer.concat([PKCS8_PREFIX, secret])
  secret.fill(0)
  try {
    return createPrivateKey({ key: document, format: 'der', type: 'pkcs8' })
  } finally {
    document.fill(0)
  }
}

function takesRawKeys(): boolean {
  try {
    importRaw(BASE_POINT)
    return true
  } catch {
    return false
  }
}
