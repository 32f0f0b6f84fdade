import { expect, test } from 'vitest'
import { NodePublicKey } from '../keys/node-key.ts'
import { encodeClientToServer, encodeFrame, encodePeerPresent, encodePing, encodeServerToClient } from './encode.ts'
import { FrameType } from './frame-type.ts'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const peer = NodePublicKey.parse('ab'.repeat(32))

test('encodeFrame puts parts after type and length in one exactly sized array (P-001)', () => {
  const frame = encodeFrame(FrameType.Health, Uint8Array.of(1), new Uint8Array(0), new Uint8Array(255).fill(2))
  expect(hex(frame)).toBe(`140000010001${'02'.repeat(255)}`)
  expect(frame.buffer.byteLength).toBe(261)
})

test('encoders neither modify nor retain their arguments', () => {
  const data = Uint8Array.of(1, 2)
  const frame = encodeClientToServer({ type: 'sendPacket', destination: peer, data })
  data.fill(9)
  expect(hex(frame)).toBe(`0400000022${'ab'.repeat(32)}0102`)
  expect(peer.toHex()).toBe('ab'.repeat(32))
})

test('encodePing requires exactly eight bytes (P-091)', () => {
  const payload = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)
  expect(hex(encodePing(FrameType.Pong, payload))).toBe('13000000080102030405060708')
  for (const length of [0, 7, 9]) {
    expect(() => encodePing(FrameType.Ping, new Uint8Array(length))).toThrow(RangeError)
    expect(() => encodeServerToClient({ type: 'pong', payload: new Uint8Array(length) })).toThrow(RangeError)
  }
})

test('encodePeerPresent writes an unknown address as zeros, in 51 bytes (P-071)', () => {
  const unknown = hex(encodePeerPresent({ peer, address: undefined, flags: 1 }))
  expect(unknown).toBe(`0900000033${'ab'.repeat(32)}${'00'.repeat(18)}01`)
  const named = hex(encodePeerPresent({ peer, address: { address: 'relay.example', port: 443 }, flags: 0 }))
  expect(named).toBe(`0900000033${'ab'.repeat(32)}${'00'.repeat(16)}01bb00`)
})
