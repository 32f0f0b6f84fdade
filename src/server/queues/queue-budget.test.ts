import { expect, test } from 'vitest'
import { fc } from '../../../test/support/fast-check.ts'
import { QueueBudget, type QueueHolder, type WriteHolder } from './queue-budget.ts'

/** Drops whole packets of 100 bytes. */
class Reader implements QueueHolder {
  queuedBytes: number
  readonly #budget: QueueBudget
  constructor(budget: QueueBudget, packets: number) {
    this.#budget = budget
    this.queuedBytes = 100 * packets
    budget.bytes += this.queuedBytes
    budget.add(this)
  }
  cutQueues(maxBytes: number): void {
    while (this.queuedBytes > maxBytes) {
      this.queuedBytes -= 100
      this.#budget.bytes -= 100
    }
  }
}

test('QueueBudget trims the longest queues to equal length, and no others (P-104)', () => {
  const budget = new QueueBudget(10_000)
  const readers = [60, 50, 10, 5].map(packets => new Reader(budget, packets))
  budget.enforce()
  // 9,000 bytes remain: 1,500 in the short ones, and half of the rest in each of the long ones.
  expect(readers.map(({ queuedBytes }) => queuedBytes)).toEqual([3_700, 3_700, 1_000, 500])
  expect(budget.bytes).toBe(8_900)
})

test('QueueBudget trims nothing up to its bound, or without one (P-104)', () => {
  for (const [maxBytes, packets] of [
    [1_000, 10],
    [0, 1_000],
  ] as const) {
    const budget = new QueueBudget(maxBytes)
    new Reader(budget, packets)
    budget.enforce()
    expect(budget.bytes).toBe(100 * packets)
  }
})

test('QueueBudget ignores removed queues (P-104)', () => {
  const budget = new QueueBudget(1_000)
  const [gone, other] = [new Reader(budget, 8), new Reader(budget, 8)]
  budget.remove(gone)
  budget.enforce()
  expect([gone.queuedBytes, other.queuedBytes]).toEqual([800, 100])
})

test('QueueBudget stays within its bound for any input, and never trims a queue below a longer one (P-104)', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(100), { maxLength: 50 }), fc.integer({ min: 1_000, max: 100_000 }), (lengths, max) => {
      const budget = new QueueBudget(max)
      const readers = lengths.map(packets => [packets, new Reader(budget, packets)] as const)
      const before = budget.bytes
      budget.enforce()
      expect(budget.bytes).toBeLessThanOrEqual(max)
      // At most one packet per reader is dropped beyond need.
      if (before > max) expect(budget.bytes).toBeGreaterThan(0.9 * max - 100 * lengths.length - 1)
      const cut = readers.filter(([packets, { queuedBytes }]) => queuedBytes < 100 * packets)
      const longest = Math.max(0, ...readers.map(([, { queuedBytes }]) => queuedBytes))
      for (const [, { queuedBytes }] of cut) expect(queuedBytes).toBeGreaterThan(longest - 101)
    }),
    { numRuns: 300, seed: 1 },
  )
})

/** A connection whose platform holds bytes. */
class Writing implements WriteHolder {
  readonly #budget: () => QueueBudget
  readonly #ended: string[]
  readonly name: string
  pendingBytes: number
  constructor(name: string, bytes: number, budget: () => QueueBudget, ended: string[]) {
    this.name = name
    this.pendingBytes = bytes
    this.#budget = budget
    this.#ended = ended
  }
  onOverflow(): void {
    this.#ended.push(this.name)
    this.#budget().heldBytes -= this.pendingBytes
    this.pendingBytes = 0
  }
}

test('QueueBudget counts what cannot be dropped, and cuts queues before it ends connections (P-104)', () => {
  const ended: string[] = []
  const writes: Writing[] = []
  const budget: QueueBudget = new QueueBudget(1_000, () => writes)
  writes.push(new Writing('writing', 800, () => budget, ended))
  budget.heldBytes = 800
  const reader = new Reader(budget, 5)
  budget.enforce()
  expect([reader.queuedBytes, ended]).toEqual([100, []])
})

test('QueueBudget ends the connections with most, the oldest write first, until nine tenths remain (P-104)', () => {
  const ended: string[] = []
  const writes: Writing[] = []
  const budget: QueueBudget = new QueueBudget(1_000, () => writes)
  for (const [name, bytes] of [
    ['small', 100],
    ['old', 400],
    ['young', 400],
    ['fattest', 500],
    ['smaller', 90],
  ] as const) {
    writes.push(new Writing(name, bytes, () => budget, ended))
    budget.heldBytes += bytes
  }
  const reader = new Reader(budget, 5)
  budget.enforce()
  expect([reader.queuedBytes, ended, budget.heldBytes]).toEqual([0, ['fattest', 'old'], 590])
  budget.enforce()
  expect(ended).toHaveLength(2)
})

test('QueueBudget ends no connection if cutting was enough, or if it was given none (P-104)', () => {
  const ended: string[] = []
  const writes: Writing[] = []
  const budget: QueueBudget = new QueueBudget(1_000, () => writes)
  writes.push(new Writing('writing', 950, () => budget, ended))
  budget.heldBytes = 950
  const reader = new Reader(budget, 1)
  budget.enforce()
  expect([reader.queuedBytes, budget.heldBytes, ended]).toEqual([0, 950, []])
  const without = new QueueBudget(1_000)
  without.heldBytes = 2_000
  without.enforce()
  expect(without.heldBytes).toBe(2_000)
})

test('QueueBudget ends no further connection once exactly nine tenths remain (P-104)', () => {
  const ended: string[] = []
  const writes: Writing[] = []
  const budget: QueueBudget = new QueueBudget(1_000, () => writes)
  for (let n = 1; n <= 6; n++) writes.push(new Writing(`${n}`, 180, () => budget, ended))
  budget.heldBytes = 6 * 180
  budget.enforce()
  expect([ended, budget.heldBytes]).toEqual([['1'], 900])
})
