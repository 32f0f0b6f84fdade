import { expect, test } from 'vitest'
import { NodePrivateKey } from '../keys/node-key.ts'
import { assertPrivateKey } from '../keys/private-key.ts'
import { assertPacket, assertPingPayload, assertPublicKey } from './packet.ts'

test('assertPacket accepts 0 to 65536 bytes and rejects more, with the size (P-052)', () => {
  assertPacket('send packet', new Uint8Array(0))
  assertPacket('send packet', new Uint8Array(65_536))
  expect(() => assertPacket('send packet', new Uint8Array(65_537))).toThrow(
    expect.objectContaining({
      code: 'ERR_DERP_PACKET_TOO_LONG',
      message: 'send packet of 65537 bytes: more than 65536',
      clause: 'P-052',
    }),
  )
})

test('assertPacket rejects anything but bytes', () => {
  expect(() => assertPacket('send packet', 'text' as unknown as Uint8Array)).toThrow(
    new TypeError('send packet: data is a string, not a Uint8Array; new TextEncoder().encode makes one'),
  )
})

test.each([0, 7, 9])('assertPingPayload rejects %i bytes (P-091)', length => {
  expect(() => assertPingPayload('send ping', new Uint8Array(length))).toThrow(RangeError)
})

test('assertPingPayload accepts eight bytes (P-091)', () => {
  expect(() => assertPingPayload('send ping', new Uint8Array(8))).not.toThrow()
})

const KEY = NodePrivateKey.generate()

test.each<[unknown, string]>([
  [KEY.publicKey().toString(), 'a string, not a NodePublicKey; NodePublicKey.parse reads text'],
  [KEY, 'a NodePrivateKey, not a NodePublicKey'],
  [new ArrayBuffer(32), 'an ArrayBuffer, not a NodePublicKey'],
  [Promise.resolve(KEY), 'a Promise, not a NodePublicKey; await it'],
  [undefined, 'undefined, not a NodePublicKey'],
  [null, 'null, not a NodePublicKey'],
])('an argument that is not a public key is reported with its call: %s', (key, reason) => {
  const message = `send packet: destination is ${reason}`
  expect(() => assertPublicKey('send packet', 'destination', key)).toThrow(new TypeError(message))
})

test('a private key passed as text is reported, and not shown', () => {
  const message = 'make client: privateKey is a string, not a NodePrivateKey; NodePrivateKey.parse reads text'
  expect(() => assertPrivateKey('make client', KEY.exportText())).toThrow(new TypeError(message))
  expect(() => assertPrivateKey('make client', KEY)).not.toThrow()
})
