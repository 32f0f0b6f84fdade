import { expect, test } from 'vitest'
import { FakeClock } from '../../../test/support/fake-clock.ts'
import { RecordedConn } from '../../../test/support/recorded-conn.ts'
import { settle } from '../../../test/support/settle.ts'
import { NodePrivateKey } from '../../keys/node-key.ts'
import type { DerpError } from '../../lib/derp-error.ts'
import { RelayCounters } from '../../metrics/counters.ts'
import { encodeFrame } from '../../protocol/encode.ts'
import { FrameDecoder } from '../../protocol/frame-decoder.ts'
import { FrameType } from '../../protocol/frame-type.ts'
import { SERVER_BOUNDS } from '../../protocol/server-bounds.ts'
import type { Propagated } from '../ports.ts'
import { KeyTurns, TURN_LIMITS } from './key-turns.ts'
import { MIN_CHARGE_BYTES } from './rate-limit.ts'
import { ReadPacer } from './read-pacer.ts'
import { type FrameTarget, Reader } from './reader.ts'

const KEY = NodePrivateKey.generate().publicKey()
const PING = encodeFrame(FrameType.Ping, new Uint8Array(8))
const UNKNOWN = encodeFrame(0xee as FrameType, new Uint8Array(40))
/** The burst is 65,568 bytes. */
const LIMIT = { bytesPerSecond: 1_000, burstBytes: 0 }
/** Uses up the burst. */
const BURST = encodeFrame(0xee as FrameType, new Uint8Array(65_568))
/** A Ping is charged 32 bytes. */
const PING_WAIT_MS = MIN_CHARGE_BYTES

/** Records what it is given. */
class Target implements FrameTarget {
  isClosed = false
  isDuplicate = false
  /** What is to be awaited before a frame is handled. */
  known: Propagated
  activities = 0
  readonly handled: number[] = []
  readonly failures: string[] = []

  noteActivity(): Propagated {
    this.activities++
    return this.known
  }

  handleFrame({ type }: FrameDecoder): void {
    this.handled.push(type)
  }

  readFailed({ code }: DerpError): void {
    this.failures.push(code)
  }
}

function setUp() {
  const clock = new FakeClock({ turns: 'manual' })
  const host = {
    options: { clock },
    counters: new RelayCounters(),
    fairShare: undefined,
    keyTurns: new KeyTurns(clock),
  }
  const client = { key: KEY, health: undefined, canMesh: false, tally: { heldBackMs: 0 } }
  const [conn, target] = [new RecordedConn(), new Target()]
  const decoder = new FrameDecoder(SERVER_BOUNDS)
  const reader = new Reader(conn, decoder, new ReadPacer(host, client), target)
  return { clock, conn, target, decoder, reader }
}

const times = (count: number, frame: Uint8Array) => Buffer.concat(Array.from({ length: count }, () => frame))

test('Reader passes on the frames that came with the login, and their activity (P-037, P-065)', () => {
  const { conn, target, decoder, reader } = setUp()
  conn.pause()
  target.isDuplicate = true
  decoder.push(times(3, PING))
  reader.start()
  expect(target).toMatchObject({ handled: [FrameType.Ping, FrameType.Ping, FrameType.Ping], activities: 1 })
  expect(conn.isPaused).toBe(false)
})

test('Reader records activity once for each read (P-065)', () => {
  const { target, reader } = setUp()
  reader.start()
  target.isDuplicate = true
  for (let n = 1; n <= 2; n++) {
    reader.read(times(5, PING))
    expect(target).toMatchObject({ activities: n, isClosed: false })
  }
  expect(target.handled).toHaveLength(10)
})

test('Reader records activity anew after a wait: other connections may have been active meanwhile (P-065)', () => {
  const { clock, target, reader } = setUp()
  reader.start()
  target.isDuplicate = true
  // After a wait for the rate limit.
  reader.limitRate(LIMIT)
  reader.read(Buffer.concat([BURST, PING]))
  expect(target.activities).toBe(1)
  clock.advance(PING_WAIT_MS)
  expect([target.activities, target.handled]).toEqual([2, [FrameType.Ping]])
  // After a wait for a turn.
  reader.limitRate(undefined)
  reader.read(times(TURN_LIMITS.pieces + 1, PING))
  expect(target.activities).toBe(3)
  clock.runTurn()
  expect([target.activities, target.handled.length]).toEqual([4, TURN_LIMITS.pieces + 2])
})

test('Reader reads nothing while a frame waits until its activity is known (P-065)', async () => {
  const { conn, target, reader } = setUp()
  reader.start()
  const { promise, resolve } = Promise.withResolvers<void>()
  Object.assign(target, { isDuplicate: true, known: promise })
  reader.read(PING)
  expect([conn.isPaused, target.handled]).toEqual([true, []])
  resolve()
  await settle(1)
  expect([conn.isPaused, target.handled]).toEqual([false, [FrameType.Ping]])
})

test('Reader reads nothing until all workers know the effects of a frame (P-036)', async () => {
  const { conn, reader } = setUp()
  reader.start()
  const { promise, resolve } = Promise.withResolvers<void>()
  reader.pauseUntil(undefined)
  expect(conn.isPaused).toBe(false)
  reader.pauseUntil(promise)
  expect(conn.isPaused).toBe(true)
  resolve()
  await settle(1)
  expect(conn.isPaused).toBe(false)
})

test('Reader reads nothing until its next turn once it has handled 256 frames (P-111)', () => {
  const { clock, conn, target, reader } = setUp()
  reader.start()
  reader.read(times(TURN_LIMITS.pieces + 1, PING))
  expect([conn.isPaused, target.handled.length]).toEqual([true, TURN_LIMITS.pieces])
  clock.runTurn()
  expect([conn.isPaused, target.handled.length]).toEqual([false, TURN_LIMITS.pieces + 1])
})

test('Reader reads nothing while an empty message waits for the rate limit (P-103)', () => {
  const { clock, conn, reader } = setUp()
  reader.start()
  reader.limitRate(LIMIT)
  reader.read(BURST)
  reader.readEmpty()
  expect(conn.isPaused).toBe(true)
  clock.advance(PING_WAIT_MS)
  expect(conn.isPaused).toBe(false)
})

test('Reader passes on no skipped frames, and checks the length of no others (P-002, P-103)', () => {
  const { target, reader } = setUp()
  reader.start()
  reader.limitRate(LIMIT)
  // More than is charged for a frame.
  const longest = encodeFrame(FrameType.ForwardPacket, new Uint8Array(64 + 65_536))
  reader.read(longest)
  expect(target).toMatchObject({ handled: [FrameType.ForwardPacket], failures: [] })
  reader.limitRate(undefined)
  reader.read(UNKNOWN)
  expect(target.handled).toEqual([FrameType.ForwardPacket])
})

test('Reader does not pass on a frame that waited if its target has closed (P-103)', () => {
  const { clock, conn, target, reader } = setUp()
  reader.start()
  reader.limitRate(LIMIT)
  reader.read(Buffer.concat([BURST, PING]))
  target.isClosed = true
  clock.advance(PING_WAIT_MS)
  expect([target.handled, conn.isPaused]).toEqual([[], true])
})

test('Reader of an ending connection passes on forwarded packets only, until they violate the protocol (P-003, P-174)', () => {
  const { target, reader } = setUp()
  reader.start()
  reader.pause()
  const forwarded = encodeFrame(FrameType.ForwardPacket, new Uint8Array(70))
  reader.readLate(Buffer.concat([PING, forwarded, UNKNOWN, forwarded, encodeFrame(FrameType.ClosePeer), forwarded]))
  expect(target.handled).toEqual([FrameType.ForwardPacket, FrameType.ForwardPacket])
  expect(target.failures).toEqual(['ERR_DERP_FRAME_TOO_SHORT'])
})
