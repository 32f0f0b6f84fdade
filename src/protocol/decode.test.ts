import { expect, test } from 'vitest'
import { NodePublicKey } from '../keys/node-key.ts'
import { concatBytes } from '../lib/bytes.ts'
import { decodeClientToServer, decodeServerToClient } from './decode.ts'
import { FrameType } from './frame-type.ts'

const key = NodePublicKey.parse('cd'.repeat(32))
const eight = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)

test.each([
  ['ClientInfo', 32],
  ['SendPacket', 32],
  ['ForwardPacket', 64],
  ['NotePreferred', 1],
  ['ClosePeer', 32],
  ['Ping', 8],
  ['Pong', 8],
] as const)('decodeClientToServer returns undefined for %s below %i bytes', (name, fewest) => {
  expect(decodeClientToServer(FrameType[name], new Uint8Array(fewest - 1))).toBeUndefined()
  expect(decodeClientToServer(FrameType[name], new Uint8Array(fewest))).toBeDefined()
})

test.each([
  ['RecvPacket', 32],
  ['PeerGone', 32],
  ['PeerPresent', 32],
  ['Ping', 8],
  ['Pong', 8],
  ['Restarting', 8],
] as const)('decodeServerToClient returns undefined for %s below %i bytes (P-004)', (name, fewest) => {
  expect(decodeServerToClient(FrameType[name], new Uint8Array(fewest - 1))).toBeUndefined()
  expect(decodeServerToClient(FrameType[name], new Uint8Array(fewest))).toBeDefined()
})

test('decoders return undefined for types of the other direction and unknown types (P-002)', () => {
  const body = new Uint8Array(100)
  for (const type of [1, 3, 5, 6, 8, 9, 0x14, 0x15, 0, 0xee]) expect(decodeClientToServer(type, body)).toBeUndefined()
  for (const type of [2, 4, 7, 0x0a, 0x10, 0x11, 0, 0xee]) expect(decodeServerToClient(type, body)).toBeUndefined()
})

test('decodeClientToServer reads any flag but 0 as preferred', () => {
  const flag = (value: number) => decodeClientToServer(FrameType.NotePreferred, Uint8Array.of(value))
  expect([0, 1, 2, 255].map(value => flag(value))).toEqual(
    [false, true, true, true].map(preferred => ({ type: 'notePreferred', preferred })),
  )
})

test('decoders return packets as views, keys and pings as copies', () => {
  const packet = concatBytes([key.bytes, eight])
  const read = decodeServerToClient(FrameType.RecvPacket, packet)
  const ping = decodeServerToClient(FrameType.Ping, eight)
  if (read?.type !== 'receivedPacket' || ping?.type !== 'ping') throw new Error('not decoded')
  expect(read.data.buffer).toBe(packet.buffer)
  packet.fill(0)
  expect(read.source.equals(key)).toBe(true)
  expect(ping.payload).toEqual(eight)
  expect(ping.payload.buffer).not.toBe(eight.buffer)
})

test('decodeServerToClient reads ServerKey only after its magic (P-031)', () => {
  const magic = [0x44, 0x45, 0x52, 0x50, 0xf0, 0x9f, 0x94, 0x91]
  const body = Uint8Array.of(...magic, ...key.bytes, 1, 2, 3)
  expect(decodeServerToClient(FrameType.ServerKey, body)).toEqual({ type: 'serverKey', serverKey: key })
  expect(decodeServerToClient(FrameType.ServerKey, body.subarray(0, 40))).toEqual({ type: 'serverKey', serverKey: key })
  expect(decodeServerToClient(FrameType.ServerKey, body.subarray(0, 39))).toBeUndefined()
  for (const at of magic.keys()) {
    const wrong = body.map((byte, i) => (i === at ? byte ^ 1 : byte))
    expect(decodeServerToClient(FrameType.ServerKey, wrong)).toBeUndefined()
  }
})

test('decodeServerToClient keeps the byte order mark of a Health text (P-092)', () => {
  const body = Uint8Array.of(0xef, 0xbb, 0xbf, 0x61)
  expect(decodeServerToClient(FrameType.Health, body)).toEqual({ type: 'health', problem: '\ufeffa' })
})
