// The frame decoder against the naive one, for any chunking and reading pattern.

import { expect, test } from 'vitest'
import { concatBytes } from '../../src/lib/bytes.ts'
import { ProtocolError } from '../../src/lib/derp-error.ts'
import { FrameDecoder } from '../../src/protocol/frame-decoder.ts'
import { CLIENT_BOUNDS, CLIENT_LOGIN_BOUNDS, type FrameBounds } from '../../src/protocol/frame-type.ts'
import { SERVER_BOUNDS, SERVER_LOGIN_BOUNDS } from '../../src/protocol/server-bounds.ts'
import { fc } from '../support/fast-check.ts'
import { NAIVE_RULES, type NaiveFrame, naiveFrames } from '../support/naive-codec.ts'

type Side = keyof typeof NAIVE_RULES
const BOUNDS: Record<Side, FrameBounds> = {
  serverLogin: SERVER_LOGIN_BOUNDS,
  server: SERVER_BOUNDS,
  clientLogin: CLIENT_LOGIN_BOUNDS,
  client: CLIENT_BOUNDS,
}

function header(type: number, length: number): Uint8Array {
  const bytes = new Uint8Array(5)
  bytes[0] = type
  new DataView(bytes.buffer).setUint32(1, length)
  return bytes
}

/** Frames of known and unknown types for a relay or client, mostly within bounds. */
function frameOf(side: 'server' | 'client'): fc.Arbitrary<Uint8Array> {
  const { known } = NAIVE_RULES[side]
  const read = fc.constantFrom(...Object.entries(known)).chain(([type, [min, max]]) => {
    const length = fc.oneof(fc.constant(min), fc.integer({ min, max: Math.min(max, min + 40) }))
    return fc.tuple(fc.constant(Number(type)), length)
  })
  const skipped = fc.tuple(
    fc.integer({ min: 0, max: 255 }).filter(type => !(type in known)),
    fc.oneof(fc.constant(0), fc.nat(60)),
  )
  const outOfBounds = fc.constantFrom<[number, number]>(
    [0x12, 2 ** 31],
    [0x05, 0xffffffff],
    [0x0a, 63],
    [0xee, 2 ** 20 + 1],
  )
  const typeAndLength = fc.oneof(
    { weight: 12, arbitrary: read },
    { weight: 5, arbitrary: skipped },
    { weight: 1, arbitrary: outOfBounds },
  )
  return fc.tuple(typeAndLength, fc.integer({ min: 0, max: 255 })).map(([[type, length], fill]) => {
    const body = Uint8Array.from({ length: Math.min(length, 200) }, (_, i) => fill + i)
    return concatBytes([header(type, length), body])
  })
}

/** A fast random sequence in [0, `below`). */
function random(seed: number): (below: number) => number {
  let x = seed | 1
  return below => {
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    return (x >>> 0) % below
  }
}

/** Splits a stream randomly: into few or many pieces, some empty, in separate buffers or not. */
function split(stream: Uint8Array, next: (below: number) => number): Uint8Array[] {
  const chunks: Uint8Array[] = []
  const longest = [1, 4, 16, stream.length + 1][next(4)] as number
  for (let at = 0; at < stream.length; ) {
    const end = Math.min(stream.length, at + next(longest + 1))
    chunks.push(next(2) === 0 ? Buffer.from(stream.subarray(at, end)) : stream.subarray(at, end))
    at = end
  }
  return chunks
}

/** A frame as text, for fast comparison. */
const shown = ({ type, length, skipped, readTo, bytes }: NaiveFrame) =>
  `${skipped ? 'skipped' : 'read'} ${type} ${length} up to ${readTo}: ${Buffer.from(bytes).toString('hex')}`

/** The current frame of the decoder. */
function current({ type, length, skipped, buffer, start }: FrameDecoder, readTo: number): string {
  const bytes = skipped ? buffer : buffer.subarray(start, start + 5 + length)
  return shown({ type, length, skipped, readTo, bytes })
}

/** Feeds chunks, reading none, some or all frames in between, and the rest at the end. */
function readSplit(bounds: FrameBounds, chunks: readonly Uint8Array[], next: (below: number) => number) {
  const decoder = new FrameDecoder(bounds)
  const seen: string[] = []
  let pushed = 0
  const read = (most: number) => {
    for (let i = 0; i < most; i++) {
      if (!decoder.next()) {
        if (decoder.pendingBytes > 0) seen.push(`${decoder.pendingBytes} bytes left`)
        return
      }
      seen.push(current(decoder, pushed - decoder.pendingBytes))
    }
  }
  const eager = next(3)
  try {
    for (const chunk of chunks) {
      decoder.push(chunk)
      pushed += chunk.length
      read(eager === 0 ? 0 : eager === 1 ? next(3) : Number.POSITIVE_INFINITY)
    }
    read(Number.POSITIVE_INFINITY)
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    seen.push('refused')
  }
  return { seen: seen.join('\n'), copied: decoder.bytesCopied }
}

test.each(['server', 'client'] as const)(
  '5,000 random chunkings give the frames of the naive decoder: %s (P-001, P-002, P-003, P-004, P-007)',
  side => {
    let splittings = 0
    let refusals = 0
    fc.assert(
      fc.property(fc.array(frameOf(side), { maxLength: 12 }), fc.nat(20), fc.integer(), (parts, cut, seed) => {
        const whole = concatBytes(parts)
        const stream = whole.subarray(0, whole.length - (cut % 2 === 0 ? 0 : Math.min(cut, whole.length)))
        const { frames, refused } = naiveFrames(stream, NAIVE_RULES[side])
        if (refused) refusals++
        const expected = [...frames.map(shown), ...(refused ? ['refused'] : [])].join('\n')
        const next = random(seed)
        for (let i = 0; i < 10; i++) {
          splittings++
          const { seen, copied } = readSplit(BOUNDS[side], split(stream, next), next)
          expect(seen).toBe(expected)
          expect(copied).toBeLessThanOrEqual(stream.length)
        }
      }),
      { seed: 1, numRuns: 500 },
    )
    expect(splittings).toBe(5_000)
    expect(refusals).toBeGreaterThan(50)
  },
)

/** A chunk that counts its accesses. */
function counted(bytes: Uint8Array, tally: { looks: number }): Uint8Array {
  return new Proxy(bytes, {
    get(target, name) {
      tally.looks++
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

/** Cost of reading a stream byte by byte. */
function readByteByByte(stream: Uint8Array, pushAllFirst: boolean) {
  const tally = { looks: 0 }
  const decoder = new FrameDecoder(SERVER_BOUNDS)
  const frames: Uint8Array[] = []
  const read = () => {
    while (decoder.next()) frames.push(decoder.buffer.slice(decoder.start, decoder.start + 5 + decoder.length))
  }
  for (const byte of stream) {
    decoder.push(counted(Uint8Array.of(byte), tally))
    if (!pushAllFirst) read()
  }
  read()
  return { frames, looks: tally.looks, copied: decoder.bytesCopied }
}

const largest = concatBytes([header(0x04, 65_568), Uint8Array.from({ length: 65_568 }, (_, i) => i * 7)])

test.each([
  ['as it comes', false],
  ['after all of it has come', true],
])('a packet of 64 KiB fed byte by byte is copied once, in linear work, read %s (P-001)', (_, pushAllFirst) => {
  const whole = readByteByByte(largest, pushAllFirst)
  expect(whole.frames).toEqual([largest])
  expect(whole.copied).toBe(65_568)
  const double = readByteByByte(concatBytes([largest, largest]), pushAllFirst)
  expect(double.frames).toHaveLength(2)
  expect(double.copied).toBe(2 * whole.copied)
  expect(whole.looks).toBeLessThan(12 * largest.length)
  expect(double.looks).toBeLessThan(2.1 * whole.looks)
})

test('a packet of 64 KiB in two chunks is copied once, in one chunk not at all (P-001)', () => {
  for (const cut of [0, 1, 4, 5, 6, 40_000, largest.length - 1, largest.length]) {
    const decoder = new FrameDecoder(SERVER_BOUNDS)
    decoder.push(largest.subarray(0, cut))
    expect(decoder.next()).toBe(cut === largest.length)
    if (cut < largest.length) {
      decoder.push(largest.subarray(cut))
      expect(decoder.next()).toBe(true)
    }
    expect(decoder.buffer.subarray(decoder.start)).toEqual(largest)
    expect(decoder.bytesCopied).toBe(cut === 0 || cut === largest.length ? 0 : 65_568)
  }
})

test('300,000 buffered chunks are read in linear time (P-001)', () => {
  const watch = Uint8Array.of(0x10, 0, 0, 0, 0)
  const decoder = new FrameDecoder(SERVER_BOUNDS)
  for (let i = 0; i < 300_000; i++) decoder.push(watch.subarray(i % 5, (i % 5) + 1))
  let frames = 0
  while (decoder.next()) frames++
  expect(frames).toBe(60_000)
})

/** Sizes of all byte arrays allocated by `action`. */
function allocations(action: () => void): number[] {
  const sizes: number[] = []
  const Real = globalThis.Uint8Array
  const recording = new Proxy(Real, {
    construct(target, parameters, newTarget) {
      if (typeof parameters[0] === 'number') sizes.push(parameters[0])
      return Reflect.construct(target, parameters, newTarget)
    },
  })
  globalThis.Uint8Array = recording
  try {
    action()
  } finally {
    globalThis.Uint8Array = Real
  }
  return sizes
}

test('a header allocates nothing for skipped frames, and otherwise no more than the frame (P-002, P-003, P-004)', () => {
  const side = fc.constantFrom<Side>('serverLogin', 'server', 'clientLogin', 'client')
  const type = fc.oneof(fc.integer({ min: 0, max: 0x17 }), fc.integer({ min: 0, max: 255 }))
  const length = fc.oneof(
    fc.constantFrom(0, 8, 1_000, 65_568, 65_569, 262_145, 2 ** 20, 2 ** 20 + 1, 2 ** 31, 0xffffffff),
    fc.integer({ min: 0, max: 0xffffffff }),
  )
  const outcomes = { refused: 0, skipped: 0, read: 0 }
  fc.assert(
    fc.property(side, type, length, fc.nat(5), (side, type, length, cut) => {
      const bytes = header(type, length)
      const decoder = new FrameDecoder(BOUNDS[side])
      let outcome: keyof typeof outcomes = 'read'
      const sizes = allocations(() => {
        try {
          decoder.push(bytes.subarray(0, cut))
          if (!decoder.next()) {
            decoder.push(bytes.subarray(cut))
            decoder.next()
          }
          if (decoder.skipped) outcome = 'skipped'
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError)
          outcome = 'refused'
        }
      })
      outcomes[outcome]++
      const { frames, refused } = naiveFrames(bytes, NAIVE_RULES[side])
      expect(outcome).toBe(refused ? 'refused' : frames[0]?.skipped === true ? 'skipped' : 'read')
      const setAside = 5 + Math.min(length, BOUNDS[side].trustedBytes)
      if (outcome === 'read' && (length > 0 || sizes.length > 0)) expect(sizes).toEqual([setAside])
      else expect(sizes).toEqual([])
    }),
    { seed: 1, numRuns: 2_000 },
  )
  expect(Math.min(outcomes.refused, outcomes.skipped, outcomes.read)).toBeGreaterThan(50)
})

test('a skipped frame of 4 GiB is never buffered (P-002)', () => {
  const decoder = new FrameDecoder(SERVER_BOUNDS)
  const chunk = new Uint8Array(1 << 20)
  const sizes = allocations(() => {
    decoder.push(header(0xee, 0xffffffff))
    expect([decoder.next(), decoder.skipped]).toEqual([true, true])
    for (let i = 0; i < 4_095; i++) {
      decoder.push(chunk)
      expect(decoder.next()).toBe(false)
    }
  })
  expect([decoder.pendingBytes, decoder.bytesCopied]).toEqual([0, 0])
  expect(sizes.every(size => size < 1_000)).toBe(true)
  decoder.push(new Uint8Array((1 << 20) - 1))
  expect(decoder.next()).toBe(false)
  decoder.push(Uint8Array.of(0x10, 0, 0, 0, 0))
  expect([decoder.next(), decoder.type, decoder.skipped]).toEqual([true, 0x10, false])
})
