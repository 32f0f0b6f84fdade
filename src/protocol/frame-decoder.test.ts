import { expect, test } from 'vitest'
import { concatBytes } from '../lib/bytes.ts'
import { ProtocolError } from '../lib/derp-error.ts'
import { FrameDecoder } from './frame-decoder.ts'
import { CLIENT_BOUNDS, CLIENT_LOGIN_BOUNDS, type FrameBounds, FrameType } from './frame-type.ts'
import { SERVER_BOUNDS, SERVER_LOGIN_BOUNDS } from './server-bounds.ts'

const MIB = 1 << 20

function header(type: number, length: number): Uint8Array {
  const bytes = new Uint8Array(5)
  bytes[0] = type
  new DataView(bytes.buffer).setUint32(1, length)
  return bytes
}

const frame = (type: number, ...body: number[]) => concatBytes([header(type, body.length), Uint8Array.from(body)])

function decoderWith(bounds: FrameBounds, ...chunks: Uint8Array[]): FrameDecoder {
  const decoder = new FrameDecoder(bounds)
  for (const chunk of chunks) decoder.push(chunk)
  return decoder
}

/** The decoder's current frame. */
const held = ({ buffer, start, length }: FrameDecoder) => [...buffer.subarray(start, start + 5 + length)]

/** The outcome for a bare frame header: `read`, `skipped`, or error code and clause. */
function verdict(bounds: FrameBounds, type: number, length: number): string {
  try {
    const decoder = decoderWith(bounds, header(type, length))
    return decoder.next() && decoder.skipped ? 'skipped' : 'read'
  } catch (error) {
    expect(error).toBeInstanceOf(ProtocolError)
    const { code, clause } = error as ProtocolError
    return `${code.replace('ERR_DERP_FRAME_', '')} ${clause}`
  }
}

const ping = frame(FrameType.Ping, 1, 2, 3, 4, 5, 6, 7, 8)
const watch = frame(FrameType.WatchConns)
const prefer = frame(FrameType.NotePreferred, 1)

test('FrameDecoder returns frames contained in one chunk as views (P-001)', () => {
  const chunk = concatBytes([ping, watch, prefer])
  const decoder = decoderWith(SERVER_BOUNDS, chunk)
  const starts = []
  while (decoder.next()) {
    expect(decoder.buffer).toBe(chunk)
    starts.push([decoder.type, decoder.start, decoder.length])
  }
  expect(starts).toEqual([
    [FrameType.Ping, 0, 8],
    [FrameType.WatchConns, 13, 0],
    [FrameType.NotePreferred, 18, 1],
  ])
  expect(decoder.bytesCopied).toBe(0)
})

test('FrameDecoder gathers a straddling frame, header included, in one exactly sized array (P-001)', () => {
  const decoder = decoderWith(SERVER_BOUNDS, Buffer.concat([watch, ping.subarray(0, 7)]))
  expect(decoder.next()).toBe(true)
  expect(decoder.next()).toBe(false)
  decoder.push(Buffer.concat([ping.subarray(7), prefer]))
  expect(decoder.next()).toBe(true)
  expect([held(decoder), decoder.start, decoder.buffer.buffer.byteLength]).toEqual([[...ping], 0, ping.length])
  expect(decoder.bytesCopied).toBe(8)
  expect(decoder.next()).toBe(true)
  expect(held(decoder)).toEqual([...prefer])
})

test('FrameDecoder returns the same frames wherever the stream is cut in two places (P-001)', () => {
  const stream = concatBytes([watch, ping, frame(0xee, 9, 9), prefer, watch])
  for (let first = 0; first <= stream.length; first++) {
    for (let second = first; second <= stream.length; second++) {
      const decoder = new FrameDecoder(SERVER_BOUNDS)
      const seen: number[][] = []
      for (const chunk of [stream.subarray(0, first), stream.subarray(first, second), stream.subarray(second)]) {
        decoder.push(chunk)
        while (decoder.next()) seen.push(decoder.skipped ? [decoder.type, decoder.length] : held(decoder))
      }
      expect(seen).toEqual([[...watch], [...ping], [0xee, 2], [...prefer], [...watch]])
    }
  }
})

test('FrameDecoder can stop between two frames of a chunk and continue later (P-001)', () => {
  const decoder = decoderWith(SERVER_BOUNDS, concatBytes([ping, prefer]))
  expect(decoder.next()).toBe(true)
  decoder.push(watch)
  decoder.push(ping)
  expect(held(decoder)).toEqual([...ping])
  expect(decoder.pendingBytes).toBe(prefer.length + watch.length + ping.length)
  const rest = []
  while (decoder.next()) rest.push(held(decoder))
  expect(rest).toEqual([[...prefer], [...watch], [...ping]])
  expect(decoder.pendingBytes).toBe(0)
})

test('FrameDecoder counts the bytes of all chunks that wait, whenever they came', () => {
  const decoder = decoderWith(SERVER_BOUNDS, watch, ping, prefer)
  for (let n = 0; n < 2; n++) expect(decoder.next()).toBe(true)
  decoder.push(ping)
  expect([held(decoder), decoder.pendingBytes]).toEqual([[...ping], prefer.length + ping.length])
})

test('FrameDecoder has an empty frame before the first, which is not skipped', () => {
  const { buffer, length, skipped } = new FrameDecoder(SERVER_BOUNDS)
  expect([buffer.length, length, skipped]).toEqual([0, 0, false])
})

test('FrameDecoder releases the last chunk when it waits for more', () => {
  const decoder = decoderWith(SERVER_BOUNDS, ping)
  while (decoder.next()) expect(decoder.buffer).toBe(ping)
  expect(decoder.buffer).toHaveLength(0)
})

test('FrameDecoder returns only complete frames of a truncated stream (P-007)', () => {
  for (let end = ping.length; end < ping.length * 2; end++) {
    const decoder = decoderWith(SERVER_BOUNDS, concatBytes([ping, ping]).subarray(0, end))
    expect([decoder.next(), decoder.next()]).toEqual([true, false])
  }
})

test('FrameDecoder skips unknown frames at the relay and continues after them (P-002)', () => {
  const decoder = decoderWith(SERVER_BOUNDS, header(0xee, 200_000))
  expect([decoder.next(), decoder.skipped, decoder.length, decoder.buffer.length]).toEqual([true, true, 200_000, 0])
  for (let i = 0; i < 4; i++) {
    decoder.push(new Uint8Array(50_000))
    expect(decoder.next()).toBe(false)
  }
  decoder.push(ping)
  expect([decoder.next(), decoder.skipped, decoder.bytesCopied]).toEqual([true, false, 0])
  expect(held(decoder)).toEqual([...ping])
})

test('FrameDecoder skips frames that clients never send, at any length, at the relay (P-002)', () => {
  const known = new Set<number>([4, 7, 0x0a, 0x10, 0x11, 0x12, 0x13])
  for (let type = 0; type < 256; type++) {
    if (known.has(type)) continue
    for (const length of [0, 1, 65_569, 0xffffffff]) expect(verdict(SERVER_BOUNDS, type, length)).toBe('skipped')
  }
})

test('FrameDecoder reads a Pong of eight bytes at the relay, and skips others (P-002, P-091)', () => {
  const at = (length: number) => verdict(SERVER_BOUNDS, FrameType.Pong, length)
  expect([at(0), at(7), at(8), at(9), at(0xffffffff)]).toEqual(['skipped', 'skipped', 'read', 'skipped', 'skipped'])
})

test.each([
  ['SendPacket', 32, 65_568],
  ['ForwardPacket', 64, 65_600],
  ['NotePreferred', 1, 1],
  ['WatchConns', 0, 0],
  ['ClosePeer', 32, 32],
  ['Ping', 8, 1_000],
] as const)('FrameDecoder reads %s of %i to %i bytes at the relay, and refuses others (P-003)', (name, min, max) => {
  const at = (length: number) => verdict(SERVER_BOUNDS, FrameType[name], length)
  expect([at(min), at(max), at(max + 1), at(0xffffffff)]).toEqual(['read', 'read', 'TOO_LONG P-003', 'TOO_LONG P-003'])
  if (min > 0) expect([at(min - 1), at(0)]).toEqual(['TOO_SHORT P-003', 'TOO_SHORT P-003'])
})

test('FrameDecoder reads ClientInfo of 56 to 262,144 bytes at login, and nothing else (P-003, P-030)', () => {
  const at = (length: number) => verdict(SERVER_LOGIN_BOUNDS, FrameType.ClientInfo, length)
  expect([at(55), at(56), at(262_144), at(262_145)]).toEqual(['TOO_SHORT P-003', 'read', 'read', 'TOO_LONG P-003'])
  for (let type = 0; type < 256; type++) {
    if (type !== FrameType.ClientInfo) expect(verdict(SERVER_LOGIN_BOUNDS, type, 56)).toBe('UNEXPECTED P-030')
  }
})

test('FrameDecoder reads ServerKey of 40 to 1,024 bytes at login, and nothing else (P-004, P-030)', () => {
  const at = (length: number) => verdict(CLIENT_LOGIN_BOUNDS, FrameType.ServerKey, length)
  expect([at(39), at(40), at(1_024), at(1_025)]).toEqual(['TOO_SHORT P-004', 'read', 'read', 'TOO_LONG P-004'])
  for (let type = 0; type < 256; type++) {
    if (type !== FrameType.ServerKey) expect(verdict(CLIENT_LOGIN_BOUNDS, type, 40)).toBe('UNEXPECTED P-030')
  }
})

test('FrameDecoder rejects any frame above 1 MiB at the client (P-004)', () => {
  for (let type = 0; type < 256; type++) {
    expect(verdict(CLIENT_BOUNDS, type, MIB)).toMatch(/^(read|skipped)$/)
    for (const length of [MIB + 1, 0x1000000, 0xff000007]) {
      expect(verdict(CLIENT_BOUNDS, type, length)).toBe('TOO_LONG P-004')
    }
  }
})

test('FrameDecoder skips frames that relays never send after the greeting, at the client (P-002)', () => {
  const read = new Set<number>([3, 5, 6, 8, 9, 0x12, 0x13, 0x14, 0x15])
  for (let type = 0; type < 256; type++) {
    expect(verdict(CLIENT_BOUNDS, type, 7)).toBe(read.has(type) ? 'read' : 'skipped')
  }
})

test('FrameDecoder checks a header that arrives in pieces as well (P-003)', () => {
  const bytes = header(FrameType.SendPacket, 65_569)
  const decoder = decoderWith(SERVER_BOUNDS, bytes.subarray(0, 1), bytes.subarray(1, 4))
  expect(decoder.next()).toBe(false)
  decoder.push(bytes.subarray(4))
  expect(() => decoder.next()).toThrow('read frame SendPacket of 65569 bytes: more than 65568')
})

test('FrameDecoder applies new bounds between two frames of one chunk (P-037)', () => {
  const hello = frame(FrameType.ClientInfo, ...new Uint8Array(56))
  for (const cut of [0, 3, hello.length, hello.length + 2]) {
    const stream = concatBytes([hello, prefer, ping])
    const decoder = decoderWith(SERVER_LOGIN_BOUNDS, stream.subarray(0, cut), stream.subarray(cut))
    const types = []
    while (decoder.next()) {
      types.push(decoder.type)
      decoder.bounds = SERVER_BOUNDS
    }
    expect(types).toEqual([FrameType.ClientInfo, FrameType.NotePreferred, FrameType.Ping])
  }
})

test('FrameDecoder reports when it has a header but not the whole body (P-001)', () => {
  const decoder = new FrameDecoder(SERVER_BOUNDS)
  const seen: boolean[] = []
  for (const byte of [...header(FrameType.Ping, 8), ...new Uint8Array(8)]) {
    decoder.push(Uint8Array.of(byte))
    decoder.next()
    seen.push(decoder.isGathering)
  }
  expect(seen).toEqual([false, false, false, false, ...Array(8).fill(true), false])
})

test('FrameDecoder reports the type of a rejected frame (P-003)', () => {
  const decoder = new FrameDecoder(SERVER_BOUNDS)
  decoder.push(Uint8Array.of(...header(FrameType.NotePreferred, 1), 1))
  expect(decoder.next()).toBe(true)
  decoder.push(header(FrameType.Ping, 7))
  expect(() => decoder.next()).toThrow(ProtocolError)
  expect(decoder.type).toBe(FrameType.Ping)
})

test('FrameDecoder at login allocates for a frame as its bytes arrive, and at most its size (P-003)', () => {
  const hello = frame(FrameType.ClientInfo, ...Array.from({ length: 5_000 }, (_, at) => at & 255))
  const decoder = new FrameDecoder(SERVER_LOGIN_BOUNDS)
  const held: number[] = []
  let at = 0
  for (const count of [5, 1_024, 1, 1_500, 2_474]) {
    decoder.push(hello.subarray(at, at + count))
    at += count
    expect(decoder.next()).toBe(false)
    held.push(decoder.heldBytes)
  }
  // The header and 1 KiB; twice that, twice; then the whole frame.
  expect(held).toEqual([1_029, 1_029, 2_058, 4_116, 5_005])
  decoder.push(hello.subarray(at))
  expect([decoder.next(), decoder.heldBytes]).toEqual([true, 0])
  expect(decoder.buffer).toEqual(hello)
  // Each byte of the body once, and what there was at each step again.
  expect(decoder.bytesCopied).toBe(5_000 + 1_029 + 1_030 + 2_530)
})
