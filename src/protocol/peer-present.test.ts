import { expect, test } from 'vitest'
import { NodePublicKey } from '../keys/node-key.ts'
import { encodeUtf8 } from '../lib/bytes.ts'
import { decodeServerToClient } from './decode.ts'
import { encodePeerPresent } from './encode.ts'
import { FrameType } from './frame-type.ts'

const peer = NodePublicKey.fromBytes(new Uint8Array(32).fill(7))
const address = { address: '192.0.2.1', port: 0x1234 }
const encode = (appName?: string) => encodePeerPresent({ peer, address, flags: 1, appName })
const decode = (body: Uint8Array) => decodeServerToClient(FrameType.PeerPresent, body)

test('encodePeerPresent appends the app name after its length, or nothing without a name (P-071)', () => {
  const plain = encode()
  expect(plain).toHaveLength(5 + 51)
  expect(encode('')).toEqual(plain)
  const named = encode('chat')
  expect(named.subarray(0, 5)).toEqual(Uint8Array.of(FrameType.PeerPresent, 0, 0, 0, 56))
  expect(named.subarray(5)).toEqual(Uint8Array.from([...plain.subarray(5), 4, ...encodeUtf8('chat')]))
})

test('decodeServerToClient reads the app name of PeerPresent, and none if it is truncated (P-071)', () => {
  const message = { type: 'peerPresent', peer, address, flags: 1 }
  const named = encode('chat').subarray(5)
  expect(decode(named)).toEqual({ ...message, appName: 'chat' })
  expect(decode(Uint8Array.from([...named, 33, 34]))).toEqual({ ...message, appName: 'chat' })
  for (const length of [51, 52, 55]) expect(decode(named.subarray(0, length))).toStrictEqual(message)
  expect(decode(Uint8Array.from([...named.subarray(0, 51), 0, 65]))).toStrictEqual(message)
})

test('a name outside the form of P-033 is read as none, and is not written', () => {
  const head = encode().subarray(5)
  const named = (name: Uint8Array) => decode(Uint8Array.from([...head, name.length, ...name]))
  const nameless = { type: 'peerPresent', peer, address, flags: 1 }
  expect(named(encodeUtf8('x'.repeat(32)))).toEqual({ ...nameless, appName: 'x'.repeat(32) })
  for (const name of ['x'.repeat(33), 'näme', 'a\nb']) {
    expect(named(encodeUtf8(name)), name).toStrictEqual(nameless)
    expect(() => encode(name), name).toThrow(`encode app name ${JSON.stringify(name)} of a peer: expected at most 32`)
  }
  expect(named(new Uint8Array(255).fill(0xbd))).toStrictEqual(nameless)
})

test('decodeServerToClient accepts PeerPresent from relays of any age (P-071)', () => {
  const body = encode('chat').subarray(5)
  expect(decode(body.subarray(0, 31))).toBeUndefined()
  expect(decode(body.subarray(0, 32))).toEqual({ type: 'peerPresent', peer, address: undefined, flags: 0 })
  expect(decode(body.subarray(0, 49))).toEqual({ type: 'peerPresent', peer, address: undefined, flags: 0 })
  expect(decode(body.subarray(0, 50))).toEqual({ type: 'peerPresent', peer, address, flags: 0 })
})
