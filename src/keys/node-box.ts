/**
 * Key agreement on Node: native X25519 (P-022).
 *
 * It runs at once: 50 µs are a tenth of what the TLS handshake before it takes on the same thread, and the way to the
 * thread pool and back costs as much again. How many logins one turn of the event loop takes is bounded where
 * connections are accepted.
 */

import { createPrivateKey, createPublicKey, diffieHellman, type KeyObject } from 'node:crypto'
import { assertNotZero, type KeyAgreement, lowOrderError } from './box.ts'
import type { NodePrivateKey, NodePublicKey } from './node-key.ts'
import { precompute } from './secretbox.ts'

/** Makes the native form of 32 public key bytes. */
export type ImportPublicKey = (bytes: Uint8Array) => KeyObject

// RFC 8410 sections 4 and 7: everything of the documents but the 32 bytes of the key.
const SPKI_PREFIX = Buffer.from('302a300506032b656e032100', 'hex')
const PKCS8_PREFIX = Buffer.from('302e020100300506032b656e04220420', 'hex')
const BASE_POINT = new Uint8Array(32).fill(9, 0, 1)

/** Imports by a DER document: what every Node takes. */
export const importSpki: ImportPublicKey = bytes =>
  createPublicKey({ key: Buffer.concat([SPKI_PREFIX, bytes]), format: 'der', type: 'spki' })

/** Imports the bytes themselves: cheaper, and known from Node 26 on. */
export const importRaw: ImportPublicKey = bytes =>
  createPublicKey({ key: bytes, format: 'raw-public', asymmetricKeyType: 'x25519' })

/** Agreement over native keys. */
export function createNodeAgreement(importPublic: ImportPublicKey): KeyAgreement {
  // A relay uses one private key for every login: its native form is made once and dies with it.
  const natives = new WeakMap<NodePrivateKey, KeyObject>()

  function nativePrivate(privateKey: NodePrivateKey): KeyObject {
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
    // Two X25519 keys fail in one way only.
    throw lowOrderError(publicKey, error)
  }
}

function importPrivate(privateKey: NodePrivateKey): KeyObject {
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
