import { afterEach, expect, test, vi } from 'vitest'
import { WHOLE_FRAME_BYTES } from '../server/reading/rate-limit.ts'
import { CATCH_UP_MS } from '../server/reading/share-ledger.ts'
import { SharedShareLedger } from './shared-share-ledger.ts'

/** Bytes per millisecond. */
const RATE = 10
const NOBODY = Number.POSITIVE_INFINITY

afterEach(() => vi.restoreAllMocks())

/** The ledgers of three threads. */
function setUp() {
  // As a worker receives it: its contents are shared, not copied.
  const memory = structuredClone(SharedShareLedger.createMemory(3))
  const [a, b, c] = [0, 1, 2].map(thread => new SharedShareLedger(memory, thread))
  return { memory, ledgers: [a, b, c] as [SharedShareLedger, SharedShareLedger, SharedShareLedger] }
}

/** What each thread sees as first elsewhere. */
const firsts = (ledgers: readonly SharedShareLedger[]) => ledgers.map(({ firstElsewhere }) => firstElsewhere)

/** Has `other` run between the next look of a thread at shared memory and its exchange. */
function interrupt(other: () => void): void {
  const load = Atomics.load.bind(Atomics) as (words: BigInt64Array, at: number) => bigint
  vi.spyOn(Atomics, 'load').mockImplementationOnce((...[words, at]: unknown[]) => {
    const found = load(words as BigInt64Array, at as number)
    other()
    return found as never
  })
}

test('threads know how many clients of all of them wait (P-105)', () => {
  const { ledgers } = setUp()
  const [a, b, c] = ledgers
  expect(ledgers.map(({ waiting }) => waiting)).toEqual([0, 0, 0])
  a.publish(1, 100, 5_000)
  b.publish(20, 200, 5_000)
  c.publish(300, 300, 5_000)
  expect(ledgers.map(({ waiting }) => waiting)).toEqual([321, 321, 321])
  b.publish(0, NOBODY, 5_001)
  expect(ledgers.map(({ waiting }) => waiting)).toEqual([301, 301, 301])
})

test('the service of all threads never goes back (P-105)', () => {
  const { ledgers } = setUp()
  const [a, b, c] = ledgers
  a.advance(500)
  expect(ledgers.map(({ served }) => served)).toEqual([500, 500, 500])
  b.advance(200)
  expect(c.served).toBe(500)
  c.advance(501)
  expect(a.served).toBe(501)
})

test('a thread sees the first frame that waits on the others, not its own (P-105)', () => {
  const { ledgers } = setUp()
  const [a, b, c] = ledgers
  expect(firsts(ledgers)).toEqual([NOBODY, NOBODY, NOBODY])
  a.publish(1, 100, 5_000)
  b.publish(1, 300, 5_000)
  c.publish(2, 200, 5_000)
  expect(firsts(ledgers)).toEqual([200, 100, 100])
  // Where no client waits, there is no first frame.
  a.publish(0, 100, 5_000)
  expect(firsts(ledgers)).toEqual([200, 200, 300])
})

test('no thread waits for one that has not looked for 150 ms, and may hang (P-105)', () => {
  const { ledgers } = setUp()
  const [a, b, c] = ledgers
  b.publish(1, 200, 5_000)
  c.publish(1, 300, 5_001)
  a.publish(1, 100, 5_149)
  expect(a.firstElsewhere).toBe(200)
  a.publish(1, 100, 5_150)
  expect(a.firstElsewhere).toBe(300)
  a.publish(1, 100, 5_151)
  expect(a.firstElsewhere).toBe(NOBODY)
  b.publish(1, 200, 5_151)
  expect(a.firstElsewhere).toBe(200)
})

test('only what an ended thread was waiting for is removed (P-105)', () => {
  for (const [ended, left] of [
    [110, 200],
    [101, 100],
    [11, 100],
  ].entries()) {
    const { memory, ledgers } = setUp()
    const [a, b, c] = ledgers
    a.publish(1, 100, 5_000)
    b.publish(10, 200, 5_000)
    c.publish(100, 300, 5_000)
    b.advance(50)
    SharedShareLedger.forget(memory, ended)
    // As seen by a thread that starts.
    expect([new SharedShareLedger(memory, ended).waiting, new SharedShareLedger(memory, 3).firstElsewhere]).toEqual(
      left,
    )
    expect(a.served).toBe(50)
  }
})

test('the line is free for all threads as soon as the bytes taken before have had their time (P-105)', () => {
  const [a, b, c] = setUp().ledgers
  // The first takes what may be made up for.
  expect(a.tryTake((CATCH_UP_MS + 7) * RATE, RATE, 1_000)).toBe(0)
  expect([b, c, a].map(ledger => ledger.tryTake(50, RATE, 1_000))).toEqual([7, 7, 7])
  expect(b.tryTake(50, RATE, 1_004.5)).toBe(2.5)
  expect(c.tryTake(50, RATE, 1_007)).toBe(0)
  expect([a, b, c].map(ledger => ledger.tryTake(50, RATE, 1_007))).toEqual([5, 5, 5])
})

test('20 ms of an unused line are made up for, by all threads together (P-105)', () => {
  const [a, b, c] = setUp().ledgers
  expect(a.tryTake(CATCH_UP_MS * RATE, RATE, 60_000)).toBe(0)
  expect(b.tryTake(CATCH_UP_MS * RATE, RATE, 60_000)).toBe(0)
  expect(c.tryTake(1, RATE, 60_000)).toBe(CATCH_UP_MS)
  // Unused from 60,020 to 60,025.
  expect(c.tryTake(5 * RATE, RATE, 60_025)).toBe(0)
  expect(a.tryTake(3 * RATE, RATE, 60_025)).toBe(0)
  expect(b.tryTake(1, RATE, 60_025)).toBe(3)
})

test('no frame blocks the line longer than a whole one takes at a raised rate (P-105)', () => {
  const [a, b, c] = setUp().ledgers
  a.tryTake(WHOLE_FRAME_BYTES, 1, 0)
  expect(b.tryTake(1, 1, 0)).toBe(WHOLE_FRAME_BYTES)
  expect(b.tryTake(1, 100, 0)).toBe(WHOLE_FRAME_BYTES / 100)
  // The line itself has moved: another thread, whose rate is still the old one, sees it too.
  expect(c.tryTake(1, 1, 0)).toBe(WHOLE_FRAME_BYTES / 100)
})

test('of two threads that find the line free at once, one takes it (P-105)', () => {
  const [a, b] = setUp().ledgers
  const taken: number[] = []
  interrupt(() => taken.push(b.tryTake((CATCH_UP_MS + 7) * RATE, RATE, 1_000)))
  taken.push(a.tryTake(50, RATE, 1_000))
  expect(taken).toEqual([0, 7])
})

test('a thread that learns of a raised rate leaves alone a line that another has moved (P-105)', () => {
  const [a, b, c] = setUp().ledgers
  a.tryTake(WHOLE_FRAME_BYTES, 1, 0)
  const waits: number[] = []
  interrupt(() => waits.push(b.tryTake(1, 1_000, 0)))
  waits.push(c.tryTake(1, 100, 0))
  expect(waits).toEqual([WHOLE_FRAME_BYTES / 1_000, WHOLE_FRAME_BYTES / 1_000])
})
