// Encoders and decoders against the naive codec, and with corrupted bytes.

import { expect, test } from 'vitest'
import { ProtocolError } from '../../src/lib/derp-error.ts'
import { decodeClientToServer, decodeServerToClient } from '../../src/protocol/decode.ts'
import { encodeClientToServer, encodeServerToClient } from '../../src/protocol/encode.ts'
import { FrameDecoder } from '../../src/protocol/frame-decoder.ts'
import { CLIENT_BOUNDS, CLIENT_LOGIN_BOUNDS } from '../../src/protocol/frame-type.ts'
import { openClientInfo, openServerInfo, readClientHello, readGreeting } from '../../src/protocol/login.ts'
import { SERVER_BOUNDS, SERVER_LOGIN_BOUNDS } from '../../src/protocol/server-bounds.ts'
import { clientMessage, plain, serverMessage } from '../support/arbitrary-messages.ts'
import { fc } from '../support/fast-check.ts'
import { naiveDecode, naiveEncode } from '../support/naive-codec.ts'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const clientFrame = clientMessage.map(encodeClientToServer)
const serverFrame = serverMessage.map(encodeServerToClient)
const RUNS = { seed: 1, numRuns: 600 }

test('encodeClientToServer and decodeClientToServer agree with the naive codec (P-001, P-006, P-032, P-050, P-091)', () => {
  fc.assert(
    fc.property(clientMessage, message => {
      const frame = encodeClientToServer(message)
      expect(hex(frame)).toBe(naiveEncode(plain(message)))
      const read = decodeClientToServer(frame[0] as number, frame.subarray(5))
      expect(read && plain(read)).toEqual(plain(message))
    }),
    RUNS,
  )
})

test('encodeServerToClient and decodeServerToClient agree with the naive codec (P-001, P-006, P-051, P-060, P-071, P-091, P-092, P-093)', () => {
  fc.assert(
    fc.property(serverMessage, message => {
      const frame = encodeServerToClient(message)
      expect(hex(frame)).toBe(naiveEncode(plain(message)))
      const read = decodeServerToClient(frame[0] as number, frame.subarray(5))
      expect(read && plain(read)).toEqual(plain(message))
    }),
    RUNS,
  )
})

test('decoders read any body of any type like the naive codec (P-002, P-004, P-031, P-060, P-071, P-091, P-093)', () => {
  const body = fc.oneof(
    fc.uint8Array({ maxLength: 80 }),
    fc.tuple(clientFrame, fc.nat(60)).map(([frame, end]) => frame.subarray(5, 5 + end)),
    fc.tuple(serverFrame, fc.nat(60)).map(([frame, end]) => frame.subarray(5, 5 + end)),
  )
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 0x17 }), body, (type, bytes) => {
      const fromClient = decodeClientToServer(type, bytes)
      const fromServer = decodeServerToClient(type, bytes)
      expect(fromClient && plain(fromClient)).toEqual(naiveDecode('toServer', type, hex(bytes)))
      expect(fromServer && plain(fromServer)).toEqual(naiveDecode('toClient', type, hex(bytes)))
    }),
    { ...RUNS, numRuns: 2_000 },
  )
})

test('a changed payload byte goes unnoticed: frames have no checksum (P-005)', () => {
  const packet = serverMessage.filter(({ type }) => type === 'receivedPacket').map(encodeServerToClient)
  fc.assert(
    fc.property(packet, fc.nat(), fc.integer({ min: 1, max: 255 }), (frame, place, change) => {
      fc.pre(frame.length > 37)
      const at = 37 + (place % (frame.length - 37))
      const changed = frame.map((byte, i) => (i === at ? byte ^ change : byte))
      const read = decodeServerToClient(changed[0] as number, changed.subarray(5))
      expect(read && hex(encodeServerToClient(read))).toBe(hex(changed))
    }),
    { ...RUNS, numRuns: 50 },
  )
})

/** A corruption of bytes. */
interface Damage {
  readonly place: number
  readonly kind: 'change' | 'remove' | 'insert' | 'cut'
  readonly byte: number
}
const damage: fc.Arbitrary<Damage> = fc.record({
  place: fc.nat(),
  kind: fc.constantFrom('change', 'remove', 'insert', 'cut'),
  byte: fc.integer({ min: 0, max: 255 }),
})

function damaged(bytes: readonly number[], damages: readonly Damage[]): Uint8Array {
  const out = [...bytes]
  for (const { place, kind, byte } of damages) {
    // Most often near the front, where the headers are.
    const at = place % Math.max(1, place % 2 === 0 ? Math.min(out.length, 60) : out.length)
    if (kind === 'change') out[at] = byte
    else if (kind === 'remove') out.splice(at, 1)
    else if (kind === 'insert') out.splice(at, 0, byte)
    else out.length = Math.min(out.length, at)
  }
  return Uint8Array.from(out)
}

const SHARED_KEY = new Uint8Array(32).fill(1)

/** Reads like the real reader; returns the number of messages and the final error. */
function readAll(stream: Uint8Array, side: 'server' | 'client'): { messages: number; error?: unknown } {
  const decoder = new FrameDecoder(side === 'server' ? SERVER_LOGIN_BOUNDS : CLIENT_LOGIN_BOUNDS)
  decoder.push(stream)
  let messages = 0
  try {
    while (decoder.next()) {
      if (decoder.skipped) continue
      const body = decoder.buffer.subarray(decoder.start + 5, decoder.start + 5 + decoder.length)
      const message = side === 'server' ? readAsServer(decoder, body) : readAsClient(decoder, body)
      if (message !== undefined) messages++
    }
  } catch (error) {
    return { messages, error }
  }
  return { messages }
}

function readAsServer(decoder: FrameDecoder, body: Uint8Array): unknown {
  if (decoder.bounds === SERVER_BOUNDS) return decodeClientToServer(decoder.type, body)
  decoder.bounds = SERVER_BOUNDS
  return readClientHello(decoder.type, body)
}

function readAsClient(decoder: FrameDecoder, body: Uint8Array): unknown {
  if (decoder.bounds === CLIENT_BOUNDS) return decodeServerToClient(decoder.type, body)
  decoder.bounds = CLIENT_BOUNDS
  return readGreeting(decoder.type, body)
}

test.each([
  ['relay', 'server', clientFrame, 2],
  ['client', 'client', serverFrame, 1],
] as const)(
  'corrupted bytes give the %s messages or a ProtocolError, nothing else (P-002, P-003, P-004, P-007)',
  (_, side, frame, first) => {
    const login = fc.uint8Array({ minLength: 90, maxLength: 90 }).map(body => {
      const magic = Uint8Array.of(0x44, 0x45, 0x52, 0x50, 0xf0, 0x9f, 0x94, 0x91)
      return [first, 0, 0, 0, 90, ...(side === 'client' ? magic : []), ...body.subarray(side === 'client' ? 8 : 0)]
    })
    const rest = fc.array(
      frame.filter(({ length }) => length < 200),
      { maxLength: 6 },
    )
    let ended = 0
    let read = 0
    fc.assert(
      fc.property(login, rest, fc.array(damage, { maxLength: 4 }), (hello, frames, damages) => {
        const { messages, error } = readAll(damaged([...hello, ...frames.flatMap(bytes => [...bytes])], damages), side)
        read += messages
        if (error === undefined) return
        ended++
        expect(error).toBeInstanceOf(ProtocolError)
      }),
      { ...RUNS, numRuns: 3_000 },
    )
    // Both outcomes occurred.
    expect(ended).toBeGreaterThan(100)
    expect(read).toBeGreaterThan(1_000)
  },
)

test('boxes of random bytes are refused with a ProtocolError (P-022, P-032, P-034)', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), sealed => {
      const hello = readClientHello(2, Uint8Array.of(...new Uint8Array(32).fill(3), ...sealed))
      expect(() => openClientInfo(SHARED_KEY, hello)).toThrow(ProtocolError)
      expect(() => openServerInfo(SHARED_KEY, sealed)).toThrow(ProtocolError)
    }),
    { ...RUNS, numRuns: 100 },
  )
})
