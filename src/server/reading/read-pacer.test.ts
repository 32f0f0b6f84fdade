import { expect, test } from 'vitest'
import { FakeClock } from '../../../test/support/fake-clock.ts'
import { settle } from '../../../test/support/settle.ts'
import { NodePrivateKey } from '../../keys/node-key.ts'
import { RelayCounters } from '../../metrics/counters.ts'
import { FairShare } from './fair-share.ts'
import { KeyTurns, TURN_LIMITS } from './key-turns.ts'
import { MIN_CHARGE_BYTES, WHOLE_FRAME_BYTES } from './rate-limit.ts'
import { ReadPacer } from './read-pacer.ts'

const KEY = NodePrivateKey.generate().publicKey()
/** The burst is one whole frame. */
const LIMIT = { bytesPerSecond: 1_000, burstBytes: 0 }
/** Bytes per second of all clients. */
const TOTAL_RATE = 1_000_000

/** Pacers of one relay, and what has proceeded. */
function setUp(totalRate?: number) {
  const clock = new FakeClock({ turns: 'manual' })
  const counters = new RelayCounters()
  const fairShare = totalRate === undefined ? undefined : new FairShare(clock, totalRate)
  const host = { options: { clock }, counters, fairShare, keyTurns: new KeyTurns(clock) }
  const proceeded: string[] = []
  const proceed = (name: string) => () => void proceeded.push(name)
  const tally = { heldBackMs: 0 }
  const pacer = (canMesh = false) => new ReadPacer(host, { key: KEY, health: undefined, canMesh, tally })
  return { clock, counters, fairShare, keyTurns: host.keyTurns, tally, proceeded, proceed, pacer }
}

/** Handles frames until those of this turn are used up. */
function spendTurn(pacer: ReadPacer, isDuplicate: boolean, proceed: () => void): number {
  let frames = 1
  while (!pacer.mustYield(isDuplicate, proceed)) frames++
  return frames
}

/** Makes the pacer wait for something other than its limit. */
const otherWaits: [what: string, begin: (pacer: ReadPacer, proceed: () => void) => void][] = [
  ['its turn', (pacer, proceed) => void spendTurn(pacer, false, proceed)],
  ['its turn among connections of its key', (pacer, proceed) => void spendTurn(pacer, true, proceed)],
  ['other workers', (pacer, proceed) => pacer.waitFor(Promise.resolve(), proceed)],
]

test.each(otherWaits)(
  'ReadPacer that waits for %s is not freed by a change of its limit (P-103, P-111)',
  async (_, begin) => {
    const { clock, proceeded, proceed, pacer } = setUp()
    const one = pacer()
    begin(one, proceed('done'))
    one.setLimit(LIMIT)
    expect([one.isWaiting, proceeded]).toEqual([true, []])
    clock.runTurn()
    await settle(1)
    expect([one.isWaiting, proceeded]).toEqual([false, ['done']])
  },
)

test.each(otherWaits)('ReadPacer that is stopped while it waits for %s never goes on (P-174)', async (_, begin) => {
  const { clock, proceeded, proceed, pacer } = setUp()
  const one = pacer()
  begin(one, proceed('done'))
  one.stop()
  one.setLimit(undefined)
  clock.runTurn()
  await settle(1)
  expect([one.isWaiting, proceeded]).toEqual([true, []])
})

test('ReadPacer that is stopped without a wait still takes what the platform delivers (P-174)', () => {
  const { pacer, proceed } = setUp()
  const one = pacer()
  one.stop()
  expect([one.isWaiting, one.mustWait(100, proceed('frame'))]).toEqual([false, false])
})

test('ReadPacer charges a read during a wait to the next frame, and lets that wait be (P-103)', () => {
  const { clock, proceeded, proceed, pacer } = setUp()
  const one = pacer()
  one.setLimit(LIMIT)
  expect(one.mustWait(WHOLE_FRAME_BYTES, proceed('first'))).toBe(false)
  expect(one.mustWait(1_000, proceed('second'))).toBe(true)
  expect(one.mustWaitAfterRead(0, proceed('read'))).toBe(false)
  clock.advance(1_000)
  expect([one.isWaiting, proceeded]).toEqual([false, ['second']])
  // That of the read, and its own.
  one.mustWait(1_000, proceed('third'))
  expect(clock.timersInMs).toEqual([1_000 + MIN_CHARGE_BYTES])
})

test('ReadPacer without a limit lets reads pass during a wait (P-103)', () => {
  const { proceed, pacer } = setUp()
  const one = pacer()
  spendTurn(one, false, proceed('turn'))
  expect(one.mustWaitAfterRead(0, proceed('read'))).toBe(false)
})

test('ReadPacer charges nothing for a read of some bytes (P-103, P-105)', () => {
  const { proceed, pacer } = setUp(TOTAL_RATE)
  pacer().mustWait(WHOLE_FRAME_BYTES, proceed('other'))
  const one = pacer()
  expect(one.mustWaitAfterRead(MIN_CHARGE_BYTES, proceed('read'))).toBe(false)
  expect(one.mustWaitAfterRead(MIN_CHARGE_BYTES - 1, proceed('read'))).toBe(true)
})

test('ReadPacer joins other connections of its key once there are any, and leaves only then (P-111)', () => {
  const { keyTurns, proceed, pacer } = setUp()
  const [single, duplicate] = [pacer(), pacer()]
  single.mustYield(false, proceed('single'))
  expect(keyTurns.size).toBe(0)
  for (let n = 0; n < 2; n++) duplicate.mustYield(true, proceed('duplicate'))
  single.stop()
  expect(keyTurns.size).toBe(1)
  duplicate.stop()
  duplicate.stop()
  expect(keyTurns.size).toBe(0)
})

test('ReadPacer allows 256 frames in each turn, and mesh peers any number (P-111)', () => {
  const { clock, proceeded, proceed, pacer } = setUp()
  const [one, meshPeer] = [pacer(), pacer(true)]
  for (let turn = 1; turn <= 3; turn++) {
    expect(spendTurn(one, false, proceed(`turn ${turn}`))).toBe(TURN_LIMITS.pieces)
    clock.runTurn()
  }
  expect(proceeded).toEqual(['turn 1', 'turn 2', 'turn 3'])
  for (let n = 0; n < 1_000; n++) expect(meshPeer.mustYield(false, proceed('mesh peer'))).toBe(false)
})

test('ReadPacers of one key share 256 frames in each turn, also after a wait (P-111)', () => {
  const { clock, proceeded, proceed, pacer } = setUp()
  const [first, second] = [pacer(), pacer()]
  expect(
    spendTurn(first, true, () => {
      proceeded.push('first')
      expect(spendTurn(first, true, proceed('first'))).toBe(TURN_LIMITS.pieces)
    }),
  ).toBe(TURN_LIMITS.pieces)
  expect(spendTurn(second, true, proceed('second'))).toBe(1)
  clock.runTurn()
  expect(proceeded).toEqual(['first'])
  clock.runTurn()
  expect(proceeded).toEqual(['first', 'second', 'first'])
})

test('ReadPacer waits for its share after its limit, and is held back only as long as for that (P-103, P-105)', () => {
  const { clock, counters, tally, proceeded, proceed, pacer } = setUp(TOTAL_RATE)
  const one = pacer()
  one.setLimit(LIMIT)
  clock.advance(5_000)
  expect(one.mustWait(WHOLE_FRAME_BYTES, proceed('first'))).toBe(false)
  expect(one.mustWait(100, proceed('second'))).toBe(true)
  clock.advance(90)
  // Another client has the line when the limit lets the frame pass.
  pacer().mustWait(60_000, proceed('other'))
  clock.advance(10)
  expect([one.isWaiting, proceeded]).toEqual([true, []])
  clock.advance(60)
  expect([one.isWaiting, proceeded]).toEqual([false, ['second']])
  // 60 ms for the frame of the other, of which 20 are made up for and 10 have passed.
  expect([tally.heldBackMs, counters.totalRateWaits, counters.totalRateWaitMs]).toEqual([30, 1, 30])
})

test('ReadPacer that waits for its share is not freed by a change of its limit (P-105)', () => {
  const { clock, fairShare, proceeded, proceed, pacer } = setUp(TOTAL_RATE)
  const one = pacer()
  one.mustWait(WHOLE_FRAME_BYTES, proceed('first'))
  one.mustWait(100, proceed('second'))
  one.setLimit(undefined)
  expect([fairShare?.waiting, one.isWaiting, proceeded]).toEqual([1, true, []])
  clock.advance(50)
  expect(proceeded).toEqual(['second'])
})

test('ReadPacer that is stopped while it waits for its share leaves the line, and never goes on (P-105, P-174)', () => {
  const { clock, fairShare, proceeded, proceed, pacer } = setUp(TOTAL_RATE)
  const one = pacer()
  one.mustWait(WHOLE_FRAME_BYTES, proceed('first'))
  expect(one.mustWait(100, proceed('second'))).toBe(true)
  one.stop()
  clock.advance(1_000)
  expect([fairShare?.waiting, one.isWaiting, proceeded]).toEqual([0, true, []])
})

test('ReadPacer refuses a skipped frame that it cannot charge whole, by the rule of lengths (P-002, P-103)', () => {
  const long = { type: 0xee, length: WHOLE_FRAME_BYTES + 1 }
  const failure = expect.objectContaining({ code: 'ERR_DERP_FRAME_TOO_LONG', clause: 'P-002' })
  const limited = setUp().pacer()
  limited.assertWhollyCharged(long)
  limited.setLimit(LIMIT)
  limited.assertWhollyCharged({ ...long, length: WHOLE_FRAME_BYTES })
  expect(() => limited.assertWhollyCharged(long)).toThrow(failure)
  const { pacer } = setUp(TOTAL_RATE)
  expect(() => pacer().assertWhollyCharged(long)).toThrow(failure)
  pacer(true).assertWhollyCharged(long)
})
