import { expect, test } from 'vitest'
import { FakeClock } from '../../../test/support/fake-clock.ts'
import type { Clock } from '../../lib/clock.ts'
import { SharedShareLedger } from '../../listen/shared-share-ledger.ts'
import { FairShare, type ShareAccount } from './fair-share.ts'
import { OwnShareLedger } from './share-ledger.ts'

/** Bytes per second. */
const RATE = 1_000_000
const SIZES = [64, 300, 1_280, 9_000, 65_568]

interface SenderOptions {
  readonly bytes: number
  /** Frames that may be on their way; by default as many as it likes. */
  readonly window?: number
  /** Milliseconds from when a frame is taken until the sender knows. */
  readonly roundTripMs?: number
}

/** A client that has a frame to send whenever its window allows. */
class Sender {
  receivedBytes = 0
  readonly #clock: Clock
  readonly #share: FairShare
  readonly #account: ShareAccount = { end: undefined }
  readonly #bytes: number
  readonly #roundTripMs: number
  /** Frames that have arrived and were not taken. */
  #arrived: number
  #isWaiting = false

  constructor(clock: Clock, share: FairShare, { bytes, window = 1_000_000, roundTripMs = 0 }: SenderOptions) {
    this.#clock = clock
    this.#share = share
    this.#bytes = bytes
    this.#roundTripMs = roundTripMs
    this.#arrived = window
  }

  start(): this {
    this.#next()
    return this
  }

  /** Sends one frame each so many milliseconds, instead. */
  pace(everyMs: number): this {
    this.#arrived = 0
    const send = () => {
      this.#arrived++
      this.#next()
      this.#clock.after(everyMs, send)
    }
    this.#clock.after(everyMs, send)
    return this
  }

  #next(): void {
    while (!this.#isWaiting && this.#arrived > 0) {
      this.#arrived--
      const wait = this.#share.take(this.#account, this.#bytes, () => {
        this.#isWaiting = false
        this.#taken()
        this.#next()
      })
      if (wait === undefined) this.#taken()
      else this.#isWaiting = true
    }
  }

  #taken(): void {
    this.receivedBytes += this.#bytes
    if (this.#roundTripMs === 0) return
    this.#clock.after(this.#roundTripMs, () => {
      this.#arrived++
      this.#next()
    })
  }
}

/** Jain's fairness index: 1 if all are equal. */
function jain(shares: readonly number[]): number {
  const sum = shares.reduce((a, b) => a + b, 0)
  return sum ** 2 / (shares.length * shares.reduce((a, b) => a + b ** 2, 0))
}

const receivedBy = (senders: readonly Sender[]) => senders.map(({ receivedBytes }) => receivedBytes)
const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0)

/** Advances in steps like those of late timers. */
function advance(clock: FakeClock, ms: number): void {
  for (let at = 0; at < ms; at += 5) clock.advance(5)
}

/** Options of `count` clients of all sizes, round trips and windows, the smallest just sufficient for a share. */
function mixed(count: number): Required<SenderOptions>[] {
  return Array.from({ length: count }, (_, at) => {
    const bytes = SIZES[at % SIZES.length] as number
    const roundTripMs = [10, 40, 90][at % 3] as number
    const excess = [1.2, 3, 50][Math.floor(at / SIZES.length) % 3] as number
    const window = Math.ceil((excess * (RATE / count / 1_000) * roundTripMs) / bytes)
    return { bytes, roundTripMs, window }
  })
}

/** Shares of as many threads, all of one rate. */
function sharesOf(threads: number, clock: Clock): FairShare[] {
  const memory = SharedShareLedger.createMemory(threads)
  return Array.from({ length: threads }, (_, at) => new FairShare(clock, RATE, new SharedShareLedger(memory, at)))
}

test.each([
  ['one thread', (clock: Clock) => [new FairShare(clock, RATE)]],
  ['two threads', (clock: Clock) => sharesOf(2, clock)],
  ['four threads', (clock: Clock) => sharesOf(4, clock)],
])(
  'FairShare on %s divides its whole rate equally among 50 clients of all packet sizes and windows (P-105)',
  (_, create) => {
    const clock = new FakeClock()
    const shares = create(clock)
    const senders = mixed(50).map((options, at) =>
      new Sender(clock, shares[(at * 7) % shares.length] as FairShare, options).start(),
    )
    advance(clock, 60_000)
    const received = receivedBy(senders)
    expect(jain(received)).toBeGreaterThan(0.95)
    expect(Math.min(...received)).toBeGreaterThan((0.7 * 60 * RATE) / 50)
    expect(sum(received)).toBeGreaterThan(0.95 * 60 * RATE)
    // The burst and one whole frame.
    expect(sum(received)).toBeLessThanOrEqual(60.02 * RATE + 65_568)
  },
)

test.each([1, 2])('FairShare on %i threads gives the unused share of slow clients to the others (P-105)', threads => {
  const clock = new FakeClock()
  const shares = sharesOf(threads, clock)
  const [first, last] = [shares[0] as FairShare, shares.at(-1) as FairShare]
  // 10,000 bytes per second each, a hundredth of the rate: less than their share.
  const slow = [first, last].map(share => new Sender(clock, share, { bytes: 1_000 }).pace(100))
  const fast = [last, last, last, first].map(share => new Sender(clock, share, { bytes: 1_280 }).start())
  advance(clock, 20_000)
  for (const { receivedBytes } of slow) expect(receivedBytes).toBeGreaterThan(0.95 * 20 * 10_000)
  for (const { receivedBytes } of fast) expect(receivedBytes).toBeGreaterThan((0.95 * 20 * (RATE - 20_000)) / 4)
})

test.each([1, 2])('FairShare on %i threads gives a new client its share within a second (P-105)', threads => {
  const clock = new FakeClock()
  const shares = sharesOf(threads, clock)
  for (let n = 0; n < 9; n++) new Sender(clock, shares[n % threads] as FairShare, { bytes: 65_568 }).start()
  advance(clock, 10_000)
  const newcomer = new Sender(clock, shares[0] as FairShare, { bytes: 1_280 }).start()
  advance(clock, 1_000)
  expect(newcomer.receivedBytes).toBeGreaterThan((0.95 * RATE) / 10)
})

test('FairShare leaves a client below its share almost no wait beside others above theirs (P-105)', () => {
  const clock = new FakeClock()
  const share = new FairShare(clock, RATE)
  for (let n = 0; n < 20; n++) new Sender(clock, share, { bytes: 1_280 }).start()
  advance(clock, 1_000)
  const account: ShareAccount = { end: undefined }
  const waits: number[] = []
  const send = () => {
    const sentAtMs = clock.now()
    if (share.take(account, 200, () => waits.push(clock.now() - sentAtMs)) === undefined) waits.push(0)
    clock.after(20, send)
  }
  send()
  for (let ms = 0; ms < 5_000; ms++) clock.advance(1)
  expect(waits.length).toBeGreaterThan(240)
  // That of a newcomer, then those of one frame on the line.
  expect(Math.max(...waits.slice(5))).toBeLessThanOrEqual(4)
})

test('FairShare lets a burst through when the relay is idle, up to its limit (P-105)', () => {
  const clock = new FakeClock()
  const share = new FairShare(clock, RATE)
  const accounts: ShareAccount[] = [{ end: undefined }, { end: undefined }, { end: undefined }]
  clock.advance(1_000)
  // The burst is a fiftieth of a second's worth, and what began before it was used up.
  const waits = accounts.map(account => share.take(account, 19_000, () => {}) !== undefined)
  expect(waits).toEqual([false, false, true])
})

test('FairShare passes over a client that leaves while it waits (P-105)', () => {
  const clock = new FakeClock()
  const share = new FairShare(clock, RATE)
  const account = () => ({ end: undefined })
  const gone: string[] = []
  share.take(account(), 65_000, () => {})
  const wait = share.take(account(), 65_000, () => gone.push('left'))
  share.take(account(), 65_000, () => gone.push('stayed'))
  wait?.cancel()
  wait?.cancel()
  expect(share.waiting).toBe(1)
  clock.advance(44)
  expect(gone).toEqual([])
  clock.advance(2)
  expect(gone).toEqual(['stayed'])
})

test.each([
  ['one thread', (clock: Clock) => new FairShare(clock, RATE)],
  ['a thread of two', (clock: Clock) => sharesOf(2, clock)[1] as FairShare],
])('FairShare of %s applies a changed or removed rate (P-105)', (_, create) => {
  const clock = new FakeClock()
  const share = create(clock)
  share.bytesPerSecond = RATE / 10
  const done: string[] = []
  const account: ShareAccount = { end: undefined }
  share.take(account, 65_000, () => {})
  share.take(account, 65_000, () => done.push('first'))
  clock.advance(100)
  share.bytesPerSecond = RATE
  // The first frame would take more than half a second at the old rate.
  clock.advance(60)
  expect(done).toEqual([])
  clock.advance(10)
  expect(done).toEqual(['first'])
  share.take(account, 65_000, () => done.push('second'))
  share.end()
  expect(done).toEqual(['first', 'second'])
  expect([share.waiting, clock.pendingTimers]).toEqual([0, 0])
})

test('FairShare does not wait for a thread that hangs or has ended (P-105)', () => {
  const clock = new FakeClock()
  const memory = SharedShareLedger.createMemory(2)
  const [hanging, other] = [0, 1].map(at => new SharedShareLedger(memory, at)) as [SharedShareLedger, SharedShareLedger]
  const share = new FairShare(clock, RATE, other)
  const sender = new Sender(clock, share, { bytes: 1_280 }).start()
  advance(clock, 1_000)
  hanging.publish(1, 0, clock.now())
  const before = sender.receivedBytes
  advance(clock, 100)
  expect(sender.receivedBytes).toBe(before)
  advance(clock, 1_000)
  expect(sender.receivedBytes - before).toBeGreaterThan(0.8 * RATE)
  hanging.publish(1, 0, clock.now())
  SharedShareLedger.forget(memory, 0)
  const after = sender.receivedBytes
  advance(clock, 100)
  expect(sender.receivedBytes - after).toBeGreaterThan(0.05 * RATE)
  expect(other.waiting).toBe(1)
})

/** Occupies the line until `ms` by the clock, which must be at 0. */
function occupy(share: FairShare, ms: number): void {
  // 20 ms are made up for.
  share.take({ end: undefined }, (20 + ms) * (RATE / 1_000), () => {})
}

test('FairShare takes frames that begin at the same service in the order of their arrival (P-105)', () => {
  const clock = new FakeClock()
  const share = new FairShare(clock, RATE)
  occupy(share, 40)
  const taken: number[] = []
  const numbers = Array.from({ length: 9 }, (_, n) => n)
  for (const n of numbers) share.take({ end: undefined }, 1_000, () => taken.push(n))
  clock.advance(60)
  expect(taken).toEqual(numbers)
})

test('FairShare takes the frames of newcomers before the next ones of those it has served (P-105)', () => {
  const clock = new FakeClock()
  const ledger = new OwnShareLedger()
  const share = new FairShare(clock, RATE, ledger)
  const taken: string[] = []
  const greedy: ShareAccount = { end: undefined }
  share.take(greedy, 60_000, () => {})
  share.take(greedy, 1_000, () => taken.push('greedy'))
  // That one waits, so it has not been served yet.
  expect([ledger.served, ledger.waiting]).toEqual([0, 1])
  const newcomers = ['first', 'second', 'third']
  for (const name of newcomers) share.take({ end: undefined }, 1_000, () => taken.push(name))
  expect(ledger.waiting).toBe(4)
  clock.advance(60)
  expect(taken).toEqual([...newcomers, 'greedy'])
  expect([ledger.served, ledger.waiting]).toEqual([60_000, 0])
})

test('FairShare lets a new client begin level with the others: it has no more than its share (P-105)', () => {
  const clock = new FakeClock()
  const share = new FairShare(clock, RATE)
  for (let n = 0; n < 9; n++) new Sender(clock, share, { bytes: 1_280 }).start()
  advance(clock, 5_000)
  const newcomer = new Sender(clock, share, { bytes: 1_280 }).start()
  advance(clock, 1_000)
  expect(newcomer.receivedBytes).toBeLessThan((1.1 * RATE) / 10)
})

test('FairShare lets a client that was away catch up with 200 ms of its share, and no more (P-105)', () => {
  const clock = new FakeClock()
  const share = new FairShare(clock, RATE)
  const account: ShareAccount = { end: undefined }
  share.take(account, 1_000, () => {})
  for (let n = 0; n < 9; n++) new Sender(clock, share, { bytes: 1_000 }).start()
  advance(clock, 5_000)
  let receivedBytes = 0
  const takeNext = () => {
    const proceed = () => {
      receivedBytes += 1_000
      takeNext()
    }
    while (share.take(account, 1_000, proceed) === undefined) receivedBytes += 1_000
  }
  takeNext()
  advance(clock, 100)
  // It has had the line alone for the first 20 to 25 ms.
  expect(receivedBytes).toBeGreaterThan((0.2 * RATE) / 10)
  expect(receivedBytes).toBeLessThan((0.35 * RATE) / 10)
})

test('FairShare looks again when the first frame is due, and not for those behind it (P-105)', () => {
  const clock = new FakeClock()
  const share = new FairShare(clock, RATE)
  occupy(share, 40)
  share.take({ end: undefined }, 1_000, () => {})
  expect(clock.timersInMs).toEqual([40])
  clock.advance(10)
  share.take({ end: undefined }, 1_000, () => {})
  expect(clock.timersInMs).toEqual([30])
})

test('FairShare has nothing left to do once all who waited have left (P-105)', () => {
  const clock = new FakeClock()
  const ledger = new OwnShareLedger()
  const share = new FairShare(clock, RATE, ledger)
  occupy(share, 40)
  const waits = [1, 2].map(() => share.take({ end: undefined }, 1_000, () => {}))
  for (const wait of waits) wait?.cancel()
  expect([ledger.waiting, clock.pendingTimers]).toEqual([0, 0])
})

test('FairShare lets one client go on after the other, even if one ends the wait of another (P-105)', () => {
  const clock = new FakeClock()
  const share = new FairShare(clock, RATE)
  occupy(share, 40)
  const steps: string[] = []
  const wait = (name: string) => share.take({ end: undefined }, 100, () => void steps.push(name))
  wait('first')
  share.take({ end: undefined }, 100, () => {
    steps.push('second begins')
    leaving?.cancel()
    steps.push('second ends')
  })
  const leaving = wait('leaving')
  wait('last')
  // All but the first are due when the clock is next looked at.
  clock.advance(50)
  expect(steps).toEqual(['first', 'second begins', 'second ends', 'last'])
})

test('FairShare counts a frame as far ahead of other threads as it may be for the rate (P-105)', () => {
  const clock = new FakeClock()
  const memory = SharedShareLedger.createMemory(2)
  const [other, own] = [0, 1].map(at => new SharedShareLedger(memory, at)) as [SharedShareLedger, SharedShareLedger]
  const share = new FairShare(clock, RATE, own)
  other.publish(1, 0, clock.now())
  // As much as the line makes up for.
  const ahead = 20 * (RATE / 1_000)
  expect(share.take({ end: ahead }, 65_000, () => {})).toBeUndefined()
  expect(share.take({ end: ahead }, 1, () => {})).toBeDefined()
})
