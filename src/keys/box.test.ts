// Both implementations of the port: same bytes, same rejections.

import { expect, test } from 'vitest'
import { fc } from '../../test/support/fast-check.ts'
import type { KeyAgreement } from './box.ts'
import { createNodeAgreement, importSpki, nodeAgreement } from './node-box.ts'
import { NodePrivateKey, NodePublicKey } from './node-key.ts'
import { createPortableAgreement, portableAgreement } from './portable-box.ts'
import { precompute } from './secretbox.ts'
import type { X25519Subtle } from './web-x25519.ts'

const implementations: readonly (readonly [string, KeyAgreement])[] = [
  ['node', nodeAgreement],
  ['node with SPKI keys', createNodeAgreement(importSpki)],
  ['portable with WebCrypto', portableAgreement],
  ['portable without WebCrypto', createPortableAgreement(undefined)],
]

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const fromHex = (text: string) => Uint8Array.from(Buffer.from(text, 'hex'))

// 1, -1, the two of order 8, and zero written as the prime itself: every scalar maps them to zero.
const lowOrderKeys = [
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
]

test.each(implementations)('%s agreement computes the key of nacl/box (P-022)', async (_, agreement) => {
  // Printed by golang.org/x/crypto/nacl/box v0.37.0 Precompute.
  const own = NodePrivateKey.fromBytes(Uint8Array.from({ length: 32 }, (_, i) => i))
  const peer = NodePublicKey.parse('36d6b4567333d248860d3aa36e4bd1a0cc3d5ab570c378c58133a85c43bd9d14')
  expect(hex(await agreement.agree(own, peer))).toBe('4959a745f14dcbc1d62a1c144430708b81839c587198d2dee2744d28d3b912be')
})

test.each(implementations)('%s agreement computes the secret of RFC 7748 section 6.1', async (_, agreement) => {
  const own = NodePrivateKey.parse('77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a')
  const peer = NodePublicKey.parse('de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f')
  const raw = fromHex('4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742')
  expect(hex(await agreement.agree(own, peer))).toBe(hex(precompute(raw)))
})

test('all implementations agree on random keys, unclamped keys and points with the top bit set (P-020)', async () => {
  const bytes = fc.uint8Array({ minLength: 32, maxLength: 32 })
  await fc.assert(
    fc.asyncProperty(bytes, bytes, async (secret, point) => {
      fc.pre(secret.some(byte => byte !== 0) && point.some(byte => byte !== 0))
      const own = NodePrivateKey.fromBytes(secret)
      const peer = NodePublicKey.fromBytes(point)
      const outcomes = await Promise.allSettled(implementations.map(([, agreement]) => agreement.agree(own, peer)))
      const told = outcomes.map(outcome => (outcome.status === 'fulfilled' ? hex(outcome.value) : outcome.reason.code))
      expect(new Set(told).size).toBe(1)
    }),
    { numRuns: 40 },
  )
})

test.each(implementations)('%s agreement is symmetric (P-022)', async (_, agreement) => {
  const a = NodePrivateKey.generate()
  const b = NodePrivateKey.generate()
  expect(await agreement.agree(a, b.publicKey())).toEqual(await agreement.agree(b, a.publicKey()))
})

test.each(implementations)('%s agreement rejects zero keys of either side (P-020)', async (_, agreement) => {
  const zeroPublic = NodePublicKey.fromBytes(new Uint8Array(32))
  const zeroPrivate = NodePrivateKey.fromBytes(new Uint8Array(32))
  const good = NodePrivateKey.generate()
  const code = 'ERR_DERP_KEY_INVALID'
  await expect(agreement.agree(good, zeroPublic)).rejects.toMatchObject({
    code,
    message: expect.stringContaining('public key is all zero'),
  })
  await expect(agreement.agree(zeroPrivate, good.publicKey())).rejects.toMatchObject({
    code,
    message: expect.stringContaining('private key is all zero'),
  })
})

test.each(implementations)('%s agreement rejects public keys of low order (P-020)', async (_, agreement) => {
  const own = NodePrivateKey.generate()
  for (const text of lowOrderKeys) {
    await expect(agreement.agree(own, NodePublicKey.parse(text))).rejects.toMatchObject({
      code: 'ERR_DERP_KEY_INVALID',
      message: expect.stringContaining('public key has low order'),
    })
  }
})

/** WebCrypto that counts calls and fails on request. */
function countingSubtle(fails: { readonly importPrivate?: boolean; readonly derive?: boolean }) {
  const calls = { pkcs8: 0, raw: 0, derive: 0 }
  const { subtle } = globalThis.crypto
  const importKey = (async (format: 'pkcs8' | 'raw', ...rest: [BufferSource, 'X25519', boolean, KeyUsage[]]) => {
    calls[format]++
    if (format === 'pkcs8' && fails.importPrivate === true) throw new DOMException('no', 'NotSupportedError')
    return subtle.importKey(format, ...rest)
  }) as X25519Subtle['importKey']
  const deriveBits: X25519Subtle['deriveBits'] = async (...parameters) => {
    calls.derive++
    if (fails.derive === true) throw new DOMException('no', 'OperationError')
    return subtle.deriveBits(...parameters)
  }
  return { calls, subtle: { importKey, deriveBits } }
}

type KeyUsage = 'deriveBits'
type BufferSource = Uint8Array<ArrayBuffer>

test('portable agreement imports a private key once', async () => {
  const { calls, subtle } = countingSubtle({})
  const agreement = createPortableAgreement(subtle)
  const own = NodePrivateKey.generate()
  const peers = [NodePrivateKey.generate().publicKey(), NodePrivateKey.generate().publicKey()]
  const keys = await Promise.all(peers.map(peer => agreement.agree(own, peer)))
  expect(keys.map(hex)).toEqual(await Promise.all(peers.map(async peer => hex(await nodeAgreement.agree(own, peer)))))
  expect(calls).toEqual({ pkcs8: 1, raw: 2, derive: 2 })
})

test('portable agreement stops using WebCrypto if it lacks X25519', async () => {
  const { calls, subtle } = countingSubtle({ importPrivate: true })
  const agreement = createPortableAgreement(subtle)
  const own = NodePrivateKey.generate()
  const peer = NodePrivateKey.generate().publicKey()
  const expected = await nodeAgreement.agree(own, peer)
  expect(hex(await agreement.agree(own, peer))).toBe(hex(expected))
  expect(hex(await agreement.agree(NodePrivateKey.fromBytes(own.exportBytes()), peer))).toBe(hex(expected))
  expect(calls).toEqual({ pkcs8: 1, raw: 0, derive: 0 })
})

test('portable agreement falls back to plain JavaScript when WebCrypto derives nothing', async () => {
  const { calls, subtle } = countingSubtle({ derive: true })
  const own = NodePrivateKey.generate()
  const peer = NodePrivateKey.generate().publicKey()
  const key = await createPortableAgreement(subtle).agree(own, peer)
  expect(hex(key)).toBe(hex(await nodeAgreement.agree(own, peer)))
  expect(calls.derive).toBe(1)
})
