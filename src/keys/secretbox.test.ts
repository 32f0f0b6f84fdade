import { expect, test } from 'vitest'
import { fc } from '../../test/support/fast-check.ts'
import { NONCE_BYTES, openBox, precompute, sealBox, TAG_BYTES } from './secretbox.ts'

const hex = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString('hex')
const text = (value: string) => new TextEncoder().encode(value)

// Printed by golang.org/x/crypto/nacl/box v0.37.0: Precompute, and Seal of the plaintext under the nonce 0, 7, 14 ….
const sharedKey = Buffer.from('4959a745f14dcbc1d62a1c144430708b81839c587198d2dee2744d28d3b912be', 'hex')
const nonce = Uint8Array.from({ length: NONCE_BYTES }, (_, i) => 7 * i)
const plaintext = text('derp box test')
const sealedByGo =
  '00070e151c232a31383f464d545b626970777e858c939aa1' + '0a098a68464fa6e5558b893f50df07132587ea68c39f1014d75e7aca24'

test('precompute computes the original’s box key for an all-zero secret (P-022)', () => {
  expect(hex(precompute(new Uint8Array(32)))).toBe('351f86faa3b988468a850122b65b0acece9c4826806aeee63de9c0da2bd7f91e')
})

test('sealBox produces the bytes of nacl/box and openBox opens them (P-022)', () => {
  expect(hex(sealBox(sharedKey, plaintext, nonce))).toBe(sealedByGo)
  expect(hex(openBox(sharedKey, Buffer.from(sealedByGo, 'hex')))).toBe(hex(plaintext))
})

test('openBox opens what sealBox sealed, lying anywhere in a buffer (P-022)', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 0, max: 7 }), (plain, offset) => {
      const sealed = sealBox(sharedKey, plain)
      expect(sealed.length).toBe(NONCE_BYTES + TAG_BYTES + plain.length)
      const buffer = new Uint8Array(offset + sealed.length)
      buffer.set(sealed, offset)
      expect(hex(openBox(sharedKey, buffer.subarray(offset)))).toBe(hex(plain))
      expect(hex(buffer.subarray(offset))).toBe(hex(sealed))
    }),
  )
})

test('sealBox uses a new nonce each time (P-022)', () => {
  const nonces = Array.from({ length: 16 }, () => hex(sealBox(sharedKey, plaintext).subarray(0, NONCE_BYTES)))
  expect(new Set(nonces).size).toBe(16)
})

test('openBox is undefined if any byte changed (P-022)', () => {
  const sealed = Buffer.from(sealedByGo, 'hex')
  for (let i = 0; i < sealed.length; i++) {
    const forged = Uint8Array.from(sealed)
    forged[i] = (forged[i] as number) ^ 0x10
    expect(openBox(sharedKey, forged)).toBeUndefined()
  }
  expect(openBox(new Uint8Array(32), sealed)).toBeUndefined()
})

test('openBox is undefined for every truncated box (P-022)', () => {
  const sealed = sealBox(sharedKey, new Uint8Array(0))
  for (let length = 0; length < sealed.length; length++) {
    expect(openBox(sharedKey, sealed.subarray(0, length))).toBeUndefined()
  }
  expect(openBox(sharedKey, sealed)).toEqual(new Uint8Array(0))
})

test('secretbox functions reject keys and nonces of the wrong length with RangeError', () => {
  expect(() => sealBox(new Uint8Array(31), plaintext)).toThrow(RangeError)
  expect(() => sealBox(sharedKey, plaintext, new Uint8Array(12))).toThrow(RangeError)
  expect(() => openBox(new Uint8Array(33), new Uint8Array(60))).toThrow(RangeError)
  expect(() => precompute(new Uint8Array(31))).toThrow('use raw shared secret of 31 bytes: expected 32')
})
