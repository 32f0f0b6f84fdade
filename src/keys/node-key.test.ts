import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { KeyError } from './key-error.ts'
import { NodePrivateKey, NodePublicKey } from './node-key.ts'

// Printed by tailscale.com/types/key v1.84.1 for the private keys 0, 1, 2 … 31 and 200, 197, 194 ….
const ascending = Uint8Array.from({ length: 32 }, (_, i) => i)
const ascendingPublic = 'nodekey:8f40c5adb68f25624ae5b214ea767a6ec94d829d3d7b5e1ad1ba6f3e2138285f'
const descending = Uint8Array.from({ length: 32 }, (_, i) => 200 - 3 * i)
const descendingPublic = 'nodekey:36d6b4567333d248860d3aa36e4bd1a0cc3d5ab570c378c58133a85c43bd9d14'

test.each([
  [ascending, ascendingPublic, '[j0DFr]'],
  [descending, descendingPublic, '[Nta0V]'],
])('NodePrivateKey.publicKey gives the key of the original, text and short form (P-020, P-021)', (raw, text, short) => {
  const key = NodePrivateKey.fromBytes(raw).publicKey()
  expect(key.toString()).toBe(text)
  expect(key.shortString()).toBe(short)
})

test('NodePrivateKey.publicKey is the key of RFC 7748 section 6.1, and the same object each time', () => {
  const key = NodePrivateKey.parse('77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a')
  expect(key.publicKey().toHex()).toBe('8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a')
  expect(key.publicKey()).toBe(key.publicKey())
})

test('NodePublicKey formats as text, hex, JSON and inspect output, and parses back (P-021)', () => {
  const key = NodePublicKey.parse(ascendingPublic)
  expect(key.toHex()).toBe(ascendingPublic.slice('nodekey:'.length))
  expect(JSON.stringify({ key })).toBe(`{"key":"${ascendingPublic}"}`)
  expect(inspect(key)).toBe(`NodePublicKey(${ascendingPublic})`)
  expect(String(key)).toBe(ascendingPublic)
  expect(NodePublicKey.parse(key.toHex()).equals(key)).toBe(true)
  expect(NodePublicKey.parse(descendingPublic).equals(key)).toBe(false)
})

test('NodePublicKey.fromBytes copies exactly 32 bytes (P-020)', () => {
  const buffer = Buffer.alloc(64, 7)
  const key = NodePublicKey.fromBytes(buffer.subarray(8, 40))
  buffer.fill(0)
  expect(key.toHex()).toBe('07'.repeat(32))
  expect(key.bytes.buffer.byteLength).toBe(NodePublicKey.byteLength)
  expect(() => NodePublicKey.fromBytes(buffer.subarray(0, 31))).toThrow(KeyError)
  expect(() => NodePublicKey.fromBytes(buffer.subarray(0, 33))).toThrow('has 33 bytes, expected 32')
})

test('NodePublicKey recognises the zero key, whose short form is empty (P-020, P-021)', () => {
  const zero = NodePublicKey.fromBytes(new Uint8Array(32))
  expect(zero.isZero()).toBe(true)
  expect(zero.shortString()).toBe('')
  expect(zero.toString()).toBe(`nodekey:${'0'.repeat(64)}`)
  expect(NodePublicKey.parse('00'.repeat(31).concat('80')).isZero()).toBe(false)
  expect(NodePublicKey.parse('ff'.repeat(32)).shortString()).toBe('[/////]')
})

test('NodePublicKey.parse refuses a private key without repeating it', () => {
  const text = NodePrivateKey.fromBytes(ascending).exportText()
  let message = ''
  try {
    NodePublicKey.parse(text)
  } catch (error) {
    message = (error as Error).message
  }
  expect(message).toContain('node public key')
  expect(message).not.toContain('0001')
})

test('NodePrivateKey.generate makes clamped, distinct keys (P-020)', () => {
  const seen = new Set<string>()
  for (let i = 0; i < 64; i++) {
    const key = NodePrivateKey.generate()
    const bytes = key.exportBytes()
    expect((bytes[0] as number) & 7).toBe(0)
    expect((bytes[31] as number) & 0xc0).toBe(0x40)
    seen.add(key.exportText())
  }
  expect(seen.size).toBe(64)
})

test('NodePrivateKey.parse and fromBytes keep the bytes unclamped (P-020)', () => {
  const text = `privkey:${'ff'.repeat(32)}`
  expect(NodePrivateKey.parse(text).exportText()).toBe(text)
  expect(NodePrivateKey.parse('ff'.repeat(32)).exportText()).toBe(text)
  expect(NodePrivateKey.fromBytes(new Uint8Array(32).fill(0xff)).exportText()).toBe(text)
  expect(() => NodePrivateKey.fromBytes(new Uint8Array(33))).toThrow(KeyError)
})

test('NodePrivateKey copies bytes in and out', () => {
  const given = new Uint8Array(ascending)
  const key = NodePrivateKey.fromBytes(given)
  given.fill(9)
  key.exportBytes().fill(9)
  expect(key.exportBytes()).toEqual(ascending)
})

test('NodePrivateKey shows its secret in no string, JSON, log or error', () => {
  const key = NodePrivateKey.parse('ab'.repeat(32))
  const shown = [
    String(key),
    JSON.stringify({ key }),
    inspect(key, { showHidden: true, depth: 9 }),
    inspect({ nested: [key] }, { depth: 9 }),
    Object.entries(key).join(),
  ]
  for (const text of shown) expect(text).not.toMatch(/abab|171/)
  expect(shown[0]).toBe('privkey:[redacted]')
  expect(shown[2]).toBe('NodePrivateKey(privkey:[redacted])')
  expect(() => NodePrivateKey.parse(`privkey:${'ab'.repeat(31)}`)).toThrow(
    /^parse node private key: has 70 characters, expected privkey: and 64 hex digits$/,
  )
})

test('NodePrivateKey.equals compares contents, and zero has no public key (P-020)', () => {
  const zero = NodePrivateKey.fromBytes(new Uint8Array(32))
  expect(NodePrivateKey.fromBytes(ascending).equals(NodePrivateKey.fromBytes(ascending))).toBe(true)
  expect(NodePrivateKey.fromBytes(ascending).equals(NodePrivateKey.fromBytes(descending))).toBe(false)
  expect([zero.isZero(), NodePrivateKey.fromBytes(ascending).isZero()]).toEqual([true, false])
  expect(() => zero.publicKey()).toThrow(KeyError)
})
