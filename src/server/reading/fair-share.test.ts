import { expect, test } from 'vitest'
import { FakeClock } from '../../../test/support/fake-clock.ts'
import type { Clock } from '../../lib/clock.ts'
import { FairShare, type WaitingCount } from './fair-share.ts'

/** Bytes per second. */
const RATE = 1_000_000

/** A client that always has a frame to send, or one every `everyMs`. */
class Sender {
  receivedBytes = 0
  readonly #share: FairShare
  readonly #frameBytes: () => number
  #isStopped = false
  #backlog = 0
  #isWaiting = false

  constructor(share: FairShare, frameBytes: () => number) {
    this.#share = share
    this.#frameBytes = frameBytes
  }

  /** Sends continuously. */
  saturate(): void {
    this.#backlog = Number.POSITIVE_INFINITY
    this.#next()
  }

  sendEach(clock: Clock, everyMs: number): void {
    clock.after(everyMs, () => {
      if (this.#isStopped) return
      this.#backlog++
      this.#next()
      this.sendEach(clock, everyMs)
    })
  }

  stop(): void {
    this.#isStopped = true
  }

  #next(): void {
    while (!this.#isStopped && !this.#isWaiting && this.#backlog > 0) {
      const bytes = this.#frameBytes()
      this.#backlog--
      const done = () => {
        this.receivedBytes += bytes
      }
      const wait = this.#share.take(bytes, () => {
        this.#isWaiting = false
        done()
        this.#next()
      })
      if (wait === undefined) done()
      else this.#isWaiting = true
    }
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

test('FairShare divides its whole rate equally among clients of all packet sizes (P-105)', () => {
  const clock = new FakeClock()
  const share = new FairShare(clock, RATE)
  const sizes = [64, 300, 1_280, 9_000, 65_568]
  const senders = Array.from({ length: 50 }, (_, at) => new Sender(share, () => sizes[at % sizes.length] as number))
  for (const sender of senders) sender.saturate()
  advance(clock, 60_000)
  const received = receivedBy(senders)
  expect(jain(received)).toBeGreaterThan(0.95)
  expect(sum(received)).toBeGreaterThan(0.95 * 60 * RATE)
  expect(sum(received)).toBeLessThanOrEqual(60 * RATE)
})

test('FairShare gives the unused share of a slow client to the others (P-105)', () => {
  const clock = new FakeClock()
  const share = new FairShare(clock, RATE)
  // 10,000 bytes per second, a hundredth of the rate: less than its share.
  const slow = new Sender(share, () => 1_000)
  const fast = Array.from({ length: 4 }, () => new Sender(share, () => 1_280))
  slow.sendEach(clock, 100)
  for (const sender of fast) sender.saturate()
  advance(clock, 20_000)
  expect(slow.receivedBytes).toBeGreaterThan(0.95 * 20 * 10_000)
  for (const { receivedBytes } of fast) expect(receivedBytes).toBeGreaterThan((0.95 * 20 * (RATE - 10_000)) / 4)
})

test('FairShare gives a new client its share within a second (P-105)', () => {
  const clock = new FakeClock()
  const share = new FairShare(clock, RATE)
  for (let n = 0; n < 9; n++) new Sender(share, () => 65_568).saturate()
  advance(clock, 10_000)
  const newcomer = new Sender(share, () => 1_280)
  newcomer.saturate()
  advance(clock, 1_000)
  expect(newcomer.receivedBytes).toBeGreaterThan((0.95 * RATE) / 10)
})

test('FairShare lets a burst through when the relay is idle, up to its limit (P-105)', () => {
  const clock = new FakeClock()
  const share = new FairShare(clock, RATE)
  expect(share.take(1, () => {})).toBeDefined()
  clock.advance(1_000)
  // The burst is a fiftieth of a second's worth.
  expect(share.take(19_000, () => {})).toBeUndefined()
  expect(share.take(2_000, () => {})).toBeDefined()
})

test('FairShare gives the share of a client that leaves while it waits to the others (P-105)', () => {
  const clock = new FakeClock()
  const share = new FairShare(clock, RATE)
  const gone: string[] = []
  const wait = share.take(500_000, () => gone.push('left'))
  share.take(500_000, () => gone.push('stayed'))
  clock.advance(500)
  wait?.cancel()
  wait?.cancel()
  expect(share.waiting).toBe(1)
  // Half was served alongside the other in half a second; the other half takes a quarter.
  clock.advance(249)
  expect(gone).toEqual([])
  clock.advance(2)
  expect(gone).toEqual(['stayed'])
})

test('FairShare applies a changed or removed rate (P-105)', () => {
  const clock = new FakeClock()
  const share = new FairShare(clock, RATE)
  const done: string[] = []
  share.take(1_000_000, () => done.push('first'))
  clock.advance(500)
  share.bytesPerSecond = 5 * RATE
  clock.advance(99)
  expect(done).toEqual([])
  clock.advance(2)
  expect(done).toEqual(['first'])
  share.take(9_000_000, () => done.push('second'))
  share.end()
  expect(done).toEqual(['first', 'second'])
  expect(share.waiting).toBe(0)
})

test('FairShare divides one rate among threads by their numbers of waiting clients (P-105)', () => {
  const clock = new FakeClock()
  const counts = [0, 0]
  const countOf = (at: number): WaitingCount => ({
    get own() {
      return counts[at] as number
    },
    set own(own) {
      counts[at] = own
    },
    get total() {
      return sum(counts)
    },
  })
  const shares = [0, 1].map(at => new FairShare(clock, RATE, countOf(at)))
  const [few, many] = shares as [FairShare, FairShare]
  const senders = [few, many, many, many].map(share => new Sender(share, () => 1_280))
  for (const sender of senders) sender.saturate()
  advance(clock, 20_000)
  const received = receivedBy(senders)
  expect(jain(received)).toBeGreaterThan(0.99)
  expect(sum(received)).toBeGreaterThan(0.95 * 20 * RATE)
  expect(sum(received)).toBeLessThan(1.02 * 20 * RATE)
})
