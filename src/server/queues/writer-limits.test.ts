/** What ends a connection that takes too little: the deadline of a write, a failed one, and the bound on what waits for all. */

import { expect, test } from 'vitest'
import { OpenBudget, OVERHEAD, WriterBench } from '../../../test/support/writer-bench.ts'
import { DropReason } from '../../metrics/drop-reason.ts'
import { QueueBudget } from './queue-budget.ts'
import { WriteDeadlines } from './write-deadlines.ts'

test('Writer reports a failed write with its cause, and counts nothing as sent', () => {
  const bench = new WriterBench()
  const cause = new Error('connection reset')
  bench.data(1)
  bench.clock.runTurn()
  bench.written(cause)
  expect(bench.failures).toMatchObject([{ code: 'ERR_DERP_WRITE_FAILED', cause }])
  expect(bench.counters.packetsSent).toBe(0)
  bench.clock.advance(10_000)
  expect(bench.failures).toHaveLength(1)
})

test('Writer reports a write that takes too long, whatever was sent since (P-101)', () => {
  const bench = new WriterBench()
  bench.data(1)
  bench.clock.runTurn()
  bench.clock.advance(1_500)
  bench.data(2)
  bench.clock.advance(499)
  expect(bench.failures).toEqual([])
  bench.clock.advance(1)
  expect(bench.failures).toMatchObject([{ code: 'ERR_DERP_WRITE_TIMEOUT', clause: 'P-101' }])
  expect(bench.counters.writeTimeouts).toBe(1)
})

test('Writer times the next write from its start, and none once closed (P-101)', () => {
  const bench = new WriterBench()
  bench.data(1)
  bench.clock.runTurn()
  bench.clock.advance(1_500)
  bench.data(2)
  bench.written()
  bench.clock.advance(1_500)
  expect(bench.failures).toEqual([])
  bench.writer.close()
  bench.clock.advance(5_000)
  expect(bench.failures).toEqual([])
})

test('Writer given other deadlines applies them to the pending write, and to no earlier one (P-101)', () => {
  const bench = new WriterBench()
  bench.data(1)
  bench.clock.runTurn()
  bench.clock.advance(1_000)
  bench.writer.deadlines = new WriteDeadlines(bench.clock, 30_000)
  bench.clock.advance(29_999)
  expect(bench.failures).toEqual([])
  bench.clock.advance(1)
  expect(bench.failures).toMatchObject([{ code: 'ERR_DERP_WRITE_TIMEOUT' }])
})

test('Writer given other deadlines between writes drops the old ones (P-101)', () => {
  const bench = new WriterBench()
  bench.data(1)
  bench.writer.deadlines = new WriteDeadlines(bench.clock, 30_000)
  bench.clock.runTurn()
  bench.clock.advance(29_999)
  expect(bench.failures).toEqual([])
  bench.written()
  bench.clock.advance(30_000)
  expect(bench.failures).toEqual([])
})

test('Writer loses its oldest packets when too much is queued for all, other packets before disco (P-104)', () => {
  const budget = new QueueBudget(2_000)
  const [slow, slower] = [new WriterBench({}, budget), new WriterBench({}, budget)]
  for (const bench of [slow, slower]) {
    bench.data(0)
    bench.writer.endTurn()
  }
  for (let n = 1; n <= 4; n++) slow.data(n, 100)
  slower.disco(9, 100)
  for (let n = 1; n <= 20; n++) slower.data(n, 100)
  for (const bench of [slow, slower]) bench.writer.endTurn()
  budget.enforce()
  expect(budget.bytes).toBeLessThanOrEqual(2_000)
  expect(slow.counters.dropped[DropReason.QueueBudget].other.packets).toBe(0)
  const { other, disco } = slower.counters.dropped[DropReason.QueueBudget]
  expect(other).toEqual({ packets: 13, bytes: 1_300 })
  expect(disco.packets).toBe(0)
  slower.written()
  // The newest are sent.
  expect(slower.lastWrite.flat().at(-1)).toBe(20)
  expect(budget.bytes).toBe(4 * (OVERHEAD + 100))
  for (const bench of [slow, slower]) bench.writer.close()
  expect(budget.bytes).toBe(0)
})

test('Writer counts the write under way and the frames behind it until they have left (P-104)', () => {
  const bench = new WriterBench()
  const held = () => bench.budget.heldBytes
  bench.data(0, 100)
  expect(held()).toBe(0)
  bench.writer.endTurn()
  expect(held()).toBe(OVERHEAD + 100)
  bench.writer.sendControl(new Uint8Array(50))
  bench.writer.sendControl(new Uint8Array(30))
  expect(held()).toBe(OVERHEAD + 180)
  bench.written()
  expect(held()).toBe(80)
  bench.writer.sendControl(new Uint8Array(10))
  bench.writer.close()
  expect(held()).toBe(0)
})

test('Writer of a login counts frames held back, and one that fails to write counts nothing more (P-104)', () => {
  const bench = new WriterBench()
  bench.writer.hold()
  bench.writer.sendControl(new Uint8Array(40))
  bench.writer.release(new Uint8Array(20))
  expect(bench.budget.heldBytes).toBe(60)
  bench.written(new Error('reset'))
  expect(bench.failures).toHaveLength(1)
  bench.writer.close()
  expect(bench.budget.heldBytes).toBe(0)
})

test('Writer with most waiting ends when writes alone exceed the bound (P-104)', () => {
  const benches: WriterBench[] = []
  const budget = new QueueBudget(300, () => benches.map(({ writer }) => writer))
  for (const bytes of [50, 200]) {
    const bench = new WriterBench({}, budget)
    benches.push(bench)
    bench.writer.owner = {
      fail: error => {
        bench.failures.push(error)
        bench.writer.close()
      },
    }
    bench.data(1, bytes)
    bench.writer.endTurn()
  }
  budget.enforce()
  expect(benches.map(({ failures }) => failures.map(({ code, clause }) => [code, clause]))).toEqual([
    [],
    [['ERR_DERP_BACKLOG_FULL', 'P-104']],
  ])
})

test('Writer asks for the end of the turn when only control frames are queued: they count for all (P-104)', () => {
  const bench = new WriterBench()
  bench.data(1)
  bench.clock.runTurn()
  const before = bench.turnsAsked
  for (let n = 0; n < 3; n++) bench.writer.sendControl(Uint8Array.of(n))
  expect(bench.turnsAsked - before).toBe(1)
})

test('Writer given other deadlines while it is idle times nothing (P-101)', () => {
  const bench = new WriterBench()
  bench.writer.deadlines = new WriteDeadlines(bench.clock, 30_000)
  bench.clock.advance(60_000)
  expect([bench.failures, bench.clock.pendingTimers]).toEqual([[], 0])
})

test('Writer is in the budget only while packets are queued behind a write (P-104)', () => {
  const bench = new WriterBench({ maxWriteBytes: OVERHEAD + 1 }, new OpenBudget(0))
  const holders = () => (bench.budget as OpenBudget).holders.size
  bench.data(0)
  bench.clock.runTurn()
  for (let n = 1; n <= 2; n++) bench.data(n)
  bench.clock.runTurn()
  expect(holders()).toBe(1)
  bench.written()
  expect([bench.writer.queuedPackets, holders()]).toEqual([1, 1])
  bench.written()
  expect([bench.writer.queuedPackets, holders()]).toEqual([0, 0])
  bench.writer.sendControl(Uint8Array.of(3))
  bench.clock.runTurn()
  expect(holders()).toBe(0)
})
