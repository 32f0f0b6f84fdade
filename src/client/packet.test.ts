import { expect, test } from 'vitest'
import { assertPacket, assertPingPayload } from './packet.ts'

test('assertPacket takes 0 to 65536 bytes and refuses more, saying how many (P-052)', () => {
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

test('assertPacket refuses what are no bytes', () => {
  expect(() => assertPacket('send packet', 'text' as unknown as Uint8Array)).toThrow(
    new TypeError('send packet of type string: not a Uint8Array'),
  )
})

test.each([0, 7, 9])('assertPingPayload refuses %i bytes (P-091)', length => {
  expect(() => assertPingPayload('send ping', new Uint8Array(length))).toThrow(RangeError)
})

test('assertPingPayload takes eight bytes (P-091)', () => {
  expect(() => assertPingPayload('send ping', new Uint8Array(8))).not.toThrow()
})
