import { expect, test } from 'vitest'
import { FakeClock } from '../../../test/support/fake-clock.ts'
import type { DerpError } from '../../lib/derp-error.ts'
import { RelayCounters } from '../../metrics/counters.ts'
import { DropReason } from '../../metrics/drop-reason.ts'
import type { Conn } from '../../transport/conn.ts'
import { QueueAge } from './queue-age.ts'
import { QueueBudget } from './queue-budget.ts'
import { WriteDeadlines } from './write-deadlines.ts'
import { Writer } from './writer.ts'

const OVERHEAD = 5 + 32
const ascending = (size: number) => Uint8Array.from({ length: size }, (_, at) => at & 255)

/** A writer over a connection that finishes writes on demand. */
class Bench {
  readonly clock: FakeClock = new FakeClock({ turns: 'manual' })
  readonly counters: RelayCounters = new RelayCounters()
  readonly queueAge: QueueAge = new QueueAge(this.counters.queueAgeMs)
  readonly deadlines: WriteDeadlines<Writer> = new WriteDeadlines(this.clock, 2_000)
  readonly failures: DerpError[] = []
  /** The chunks of each write. */
  readonly writes: (readonly Uint8Array[])[] = []
  readonly writer: Writer
  readonly budget: QueueBudget
  #done: ((error?: Error) => void) | undefined

  constructor(options: { sendQueuePackets?: number; maxWriteBytes?: number } = {}, budget = new QueueBudget(0)) {
    this.budget = budget
    const conn: Conn = {
      remote: undefined,
      local: undefined,
      open() {},
      pause() {},
      resume() {},
      write: (chunks, done) => {
        if (this.#done !== undefined) throw new Error('write to bench: a write is pending')
        this.writes.push(chunks)
        this.#done = done
      },
      destroy() {},
      end() {},
    }
    const host = {
      counters: this.counters,
      queueAge: this.queueAge,
      queueBudget: this.budget,
      sendQueuePackets: options.sendQueuePackets ?? 32,
      maxWriteBytes: options.maxWriteBytes ?? 65_536,
      now: () => this.clock.now(),
      flushAfterTurn: (writer: Writer) => this.clock.afterTurn(() => writer.endTurn()),
    }
    this.writer = new Writer(host, conn, this.deadlines, { fail: error => this.failures.push(error) })
  }

  /** Bytes of each chunk of the last write. */
  get lastWrite(): number[][] {
    return (this.writes.at(-1) ?? []).map(chunk => [...chunk])
  }

  /** Finishes the pending write. */
  written(error?: Error): void {
    const done = this.#done
    if (done === undefined) throw new Error('end write of bench: none is pending')
    this.#done = undefined
    done(error)
  }

  /** Sends a data packet of `payloadBytes`, all bytes `fill`. */
  data(fill: number, payloadBytes = 1): void {
    this.writer.sendPacket(new Uint8Array(OVERHEAD + payloadBytes).fill(fill), 0, OVERHEAD + payloadBytes, 'other')
  }

  /** The same for disco. */
  disco(fill: number, payloadBytes = 1): void {
    this.writer.sendPacket(new Uint8Array(OVERHEAD + payloadBytes).fill(fill), 0, OVERHEAD + payloadBytes, 'disco')
  }
}

const firstBytes = (chunks: number[][]) => chunks.map(chunk => chunk[0])

test('Writer writes the frames of one turn at once, at its end', () => {
  const bench = new Bench()
  bench.writer.sendControl(Uint8Array.of(1))
  bench.data(2)
  bench.writer.sendControl(Uint8Array.of(3))
  expect(bench.writes).toEqual([])
  bench.clock.runTurn()
  expect(firstBytes(bench.lastWrite)).toEqual([1, 2, 3])
  expect(bench.counters.bufferedWriteFrames.sum).toBe(3)
  bench.written()
  expect(bench.writes).toHaveLength(1)
  expect(bench.counters).toMatchObject({ packetsSent: 1, bytesSent: 1 })
  expect(bench.writer.tally.bytesSent).toBe(2 + OVERHEAD + 1)
})

test('Writer requests one flush per turn, again after each write', () => {
  const bench = new Bench()
  for (const n of [1, 2]) {
    bench.writer.sendControl(Uint8Array.of(n))
    bench.writer.sendControl(Uint8Array.of(n))
    bench.clock.runTurn()
    expect(bench.lastWrite).toEqual([[n], [n]])
    bench.written()
    expect(bench.writer.pendingBytes).toBe(0)
  }
  bench.clock.runTurn()
  expect(bench.writes).toHaveLength(2)
})

test('Writer joins adjacent frames of one buffer into one chunk, and only those', () => {
  const bench = new Bench()
  const buffer = ascending(200)
  const other = ascending(100)
  bench.writer.sendPacket(buffer, 0, 50, 'other')
  bench.writer.sendPacket(buffer, 50, 100, 'other')
  bench.writer.sendPacket(buffer, 101, 150, 'other')
  bench.writer.sendPacket(other, 0, 100, 'other')
  bench.writer.sendPacket(buffer, 150, 200, 'other')
  bench.clock.runTurn()
  const expected = [buffer.subarray(0, 100), buffer.subarray(101, 150), other, buffer.subarray(150, 200)]
  expect(bench.lastWrite).toEqual(expected.map(chunk => [...chunk]))
  expect(bench.writes[0]?.[2]).toBe(other)
  expect(bench.counters.bufferedWriteFrames.sum).toBe(5)
})

test('Writer does not join a frame to a chunk of an earlier write', () => {
  const bench = new Bench()
  const buffer = ascending(100)
  bench.writer.sendPacket(buffer, 0, 50, 'other')
  bench.clock.runTurn()
  bench.written()
  bench.writer.sendPacket(buffer, 50, 100, 'other')
  bench.clock.runTurn()
  expect(bench.lastWrite).toEqual([[...buffer.subarray(50)]])
})

test('Writer does not wait for the end of the turn once a write is full', () => {
  const bench = new Bench({ maxWriteBytes: 2 * (OVERHEAD + 1) })
  bench.data(1)
  expect(bench.writes).toHaveLength(0)
  bench.data(2)
  expect(firstBytes(bench.lastWrite)).toEqual([1, 2])
  bench.data(3)
  bench.clock.runTurn()
  expect(bench.writes).toHaveLength(1)
  bench.written()
  expect(firstBytes(bench.lastWrite)).toEqual([3])
})

test('Writer sends queued packets from their original buffer within their turn (P-100)', () => {
  const bench = new Bench()
  bench.data(1)
  bench.clock.runTurn()
  const buffer = ascending(200)
  bench.writer.sendPacket(buffer, 10, 60, 'other')
  bench.writer.sendPacket(buffer, 60, 110, 'other')
  bench.written()
  expect(bench.lastWrite).toEqual([[...buffer.subarray(10, 110)]])
  expect(bench.writes.at(-1)?.[0]?.buffer).toBe(buffer.buffer)
})

test('Writer copies exactly what is still queued after a turn: a slow reader never pins received buffers (P-100)', () => {
  const bench = new Bench()
  bench.data(1)
  bench.clock.runTurn()
  const buffer = ascending(65_536)
  bench.writer.sendPacket(buffer, 10, 60, 'other')
  bench.writer.sendPacket(buffer, 100, 150, 'other')
  bench.clock.runTurn()
  buffer.fill(0)
  bench.written()
  const received = ascending(200)
  expect(bench.lastWrite).toEqual([[...received.subarray(10, 60), ...received.subarray(100, 150)]])
  expect(bench.writes.at(-1)?.[0]?.buffer.byteLength).toBe(100)
})

test('Writer trims its queues to their limits at the end of the turn, dropping the oldest (P-100)', () => {
  const bench = new Bench({ sendQueuePackets: 2 })
  bench.data(0)
  bench.clock.runTurn()
  for (let n = 1; n <= 4; n++) bench.data(n)
  for (let n = 5; n <= 8; n++) bench.disco(n)
  expect(bench.writer.queuedPackets).toBe(8)
  bench.clock.runTurn()
  expect(bench.writer.queuedPackets).toBe(4)
  expect(bench.counters.dropped.queue_head).toEqual({
    other: { packets: 2, bytes: 2 },
    disco: { packets: 2, bytes: 2 },
  })
  bench.data(9)
  bench.clock.runTurn()
  bench.written()
  expect(firstBytes(bench.lastWrite)).toEqual([7, 4, 8, 9])
})

test('Writer loses nothing while a write is reported late, up to one write’s worth (P-100)', () => {
  const bench = new Bench({ sendQueuePackets: 2, maxWriteBytes: 4 * (OVERHEAD + 1) })
  bench.data(0)
  bench.clock.runTurn()
  for (let n = 1; n <= 4; n++) bench.data(n)
  expect(bench.counters.dropped.queue_head.other.packets).toBe(0)
  bench.data(5)
  expect(bench.counters.dropped.queue_head.other.packets).toBe(1)
  bench.written()
  expect(firstBytes(bench.lastWrite)).toEqual([2, 3, 4, 5])
  bench.clock.runTurn()
  bench.written()
  expect(bench.counters).toMatchObject({ packetsSent: 5 })
})

test('Writer writes queued frames in order: control, one Pong, disco, data (P-091, P-100)', () => {
  const bench = new Bench()
  bench.data(1)
  bench.clock.runTurn()
  bench.data(6)
  bench.disco(5)
  expect(bench.writer.sendPong(Uint8Array.of(4))).toBe(true)
  expect(bench.writer.sendPong(Uint8Array.of(9))).toBe(false)
  bench.writer.sendControl(Uint8Array.of(2))
  bench.writer.sendControl(Uint8Array.of(3))
  bench.written()
  expect(firstBytes(bench.lastWrite)).toEqual([2, 3, 4, 5, 6])
  bench.written()
  expect(bench.writes).toHaveLength(2)
  expect(bench.counters).toMatchObject({ packetsSent: 3, bytesSent: 3 })
})

test('Writer sends one Pong per write (P-091)', () => {
  const bench = new Bench()
  expect([bench.writer.sendPong(Uint8Array.of(1)), bench.writer.sendPong(Uint8Array.of(2))]).toEqual([true, false])
  bench.clock.runTurn()
  expect(bench.lastWrite).toEqual([[1]])
  expect(bench.writer.sendPong(Uint8Array.of(3))).toBe(true)
  bench.written()
  expect(bench.writer.sendPong(Uint8Array.of(4))).toBe(true)
  bench.written()
  expect(bench.lastWrite).toEqual([[4]])
})

test('Writer takes at most one write’s worth from its queues, disco and data alternately (P-100)', () => {
  const bench = new Bench({ maxWriteBytes: 2 * (OVERHEAD + 1) })
  bench.writer.sendControl(Uint8Array.of(0))
  bench.clock.runTurn()
  for (let n = 1; n <= 3; n++) bench.data(n)
  for (let n = 4; n <= 6; n++) bench.disco(n)
  const sent: (number | undefined)[][] = []
  for (let n = 0; n < 3; n++) {
    bench.written()
    sent.push(firstBytes(bench.lastWrite))
  }
  expect(sent).toEqual([
    [4, 1],
    [5, 2],
    [6, 3],
  ])
  bench.written()
  expect(bench.writes).toHaveLength(4)
})

test('Writer reports pending bytes and queued packets', () => {
  const bench = new Bench()
  expect([bench.writer.pendingBytes, bench.writer.queuedPackets]).toEqual([0, 0])
  bench.data(1, 10)
  bench.clock.runTurn()
  expect([bench.writer.pendingBytes, bench.writer.queuedPackets]).toEqual([OVERHEAD + 10, 0])
  bench.data(2, 20)
  bench.disco(3, 30)
  expect([bench.writer.pendingBytes, bench.writer.queuedPackets]).toEqual([3 * OVERHEAD + 60, 2])
  bench.written()
  expect([bench.writer.pendingBytes, bench.writer.queuedPackets]).toEqual([2 * OVERHEAD + 50, 0])
})

test('Writer records how long packets were queued, displaced ones included (P-194)', () => {
  const bench = new Bench({ sendQueuePackets: 2 })
  const { queueAgeMs, dropped } = bench.counters
  bench.clock.advance(10_000)
  bench.data(1)
  bench.data(2)
  bench.clock.runTurn()
  expect([queueAgeMs.count, queueAgeMs.sum]).toEqual([2, 0])
  bench.data(3)
  bench.clock.runTurn()
  bench.clock.advance(100)
  bench.data(4)
  bench.data(5)
  bench.clock.runTurn()
  expect(dropped.queue_head.other).toEqual({ packets: 1, bytes: 1 })
  expect([queueAgeMs.count, queueAgeMs.sum]).toEqual([3, 100])
  bench.clock.advance(10)
  bench.written()
  // Settled together, they are contiguous.
  expect(bench.lastWrite.map(chunk => [chunk[0], chunk[OVERHEAD + 1]])).toEqual([[4, 5]])
  expect([queueAgeMs.count, queueAgeMs.sum]).toEqual([5, 120])
})

test('Writer records no wait for packets that leave in their turn (P-194)', () => {
  const bench = new Bench()
  bench.data(1)
  bench.clock.runTurn()
  bench.data(2)
  bench.data(3)
  bench.clock.advance(1)
  bench.written()
  expect([bench.counters.queueAgeMs.count, bench.counters.queueAgeMs.sum]).toEqual([3, 0])
})

test('Writer joins contiguous frames received as separate views', () => {
  const bench = new Bench()
  const slab = ascending(200)
  for (const at of [0, 50, 100]) bench.writer.sendPacket(slab.subarray(at, at + 50), 0, 50, 'other')
  bench.writer.sendPacket(slab.subarray(151, 200), 0, 49, 'other')
  bench.writer.sendPacket(new Uint8Array(200).subarray(200), 0, 0, 'other')
  bench.clock.runTurn()
  expect(bench.lastWrite).toEqual([[...slab.subarray(0, 150)], [...slab.subarray(151, 200)], []])
})

test('Writer on hold queues everything, and sends the release frame first (P-036)', () => {
  const bench = new Bench()
  bench.writer.hold()
  bench.data(3)
  bench.writer.sendControl(Uint8Array.of(2))
  bench.clock.runTurn()
  expect(bench.writes).toEqual([])
  bench.writer.release(Uint8Array.of(1))
  expect(firstBytes(bench.lastWrite)).toEqual([1, 2, 3])
})

test('Writer on hold finishes the pending write, and starts no other', () => {
  const bench = new Bench()
  bench.writer.sendControl(Uint8Array.of(1))
  bench.clock.runTurn()
  bench.writer.hold()
  bench.writer.sendControl(Uint8Array.of(3))
  bench.written()
  expect(bench.writes).toHaveLength(1)
  bench.writer.release(Uint8Array.of(2))
  expect(bench.lastWrite).toEqual([[2], [3]])
})

test('Writer released before its first frame is sent writes once (P-036)', () => {
  const bench = new Bench()
  bench.writer.sendControl(Uint8Array.of(1))
  bench.writer.hold()
  bench.data(3)
  bench.writer.release(Uint8Array.of(2))
  expect(bench.writes).toHaveLength(1)
  expect(firstBytes(bench.lastWrite)).toEqual([1, 2, 3])
  bench.written()
  bench.clock.runTurn()
  expect(bench.writes).toHaveLength(1)
})

test('Writer released during a write continues after it', () => {
  const bench = new Bench()
  bench.writer.sendControl(Uint8Array.of(1))
  bench.clock.runTurn()
  bench.writer.hold()
  bench.writer.release(Uint8Array.of(2))
  expect(bench.writes).toHaveLength(1)
  bench.written()
  expect(bench.lastWrite).toEqual([[2]])
})

test('Writer when closed counts packets being written as write errors, queued ones as gone (P-102)', () => {
  const bench = new Bench()
  bench.data(1, 10)
  bench.disco(2, 20)
  bench.disco(3, 30)
  bench.clock.runTurn()
  bench.data(4, 40)
  bench.disco(5, 50)
  bench.disco(6, 60)
  bench.writer.sendControl(Uint8Array.of(7))
  bench.writer.close()
  bench.writer.close()
  const { dropped } = bench.counters
  expect(dropped[DropReason.WriteError]).toEqual({
    other: { packets: 1, bytes: 10 },
    disco: { packets: 2, bytes: 50 },
  })
  expect(dropped[DropReason.GoneDisconnected]).toEqual({
    other: { packets: 1, bytes: 40 },
    disco: { packets: 2, bytes: 110 },
  })
  bench.written(new Error('closed'))
  expect([bench.failures, bench.counters.packetsSent, bench.writer.pendingBytes]).toEqual([[], 0, 0])
  expect(bench.writes).toHaveLength(1)
})

test('Writer closed before the end of the turn counts its packets as gone, and accepts nothing more (P-102)', () => {
  const bench = new Bench()
  bench.data(1, 10)
  bench.writer.close()
  bench.data(2, 20)
  bench.writer.sendControl(Uint8Array.of(3))
  expect(bench.writer.sendPong(Uint8Array.of(4))).toBe(false)
  bench.writer.flush()
  bench.clock.runTurn()
  expect(bench.writes).toEqual([])
  expect(bench.counters.dropped[DropReason.GoneDisconnected].other).toEqual({ packets: 2, bytes: 30 })
  expect(bench.counters.dropped[DropReason.WriteError].other).toEqual({ packets: 0, bytes: 0 })
})

test('Writer whose write succeeds counts its packets as sent, and a close after that drops none of them', () => {
  const bench = new Bench()
  bench.data(1, 10)
  bench.disco(2, 20)
  bench.clock.runTurn()
  bench.written()
  bench.writer.close()
  expect(bench.counters).toMatchObject({ packetsSent: 2, bytesSent: 30 })
  const none = { packets: 0, bytes: 0 }
  expect(bench.counters.dropped[DropReason.GoneDisconnected]).toEqual({ disco: none, other: none })
  expect(bench.counters.dropped[DropReason.WriteError]).toEqual({ disco: none, other: none })
})

test('Writer reports a failed write with its cause, and counts nothing as sent', () => {
  const bench = new Bench()
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
  const bench = new Bench()
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
  const bench = new Bench()
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
  const bench = new Bench()
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
  const bench = new Bench()
  bench.data(1)
  bench.writer.deadlines = new WriteDeadlines(bench.clock, 30_000)
  bench.clock.runTurn()
  bench.clock.advance(29_999)
  expect(bench.failures).toEqual([])
  bench.written()
  bench.clock.advance(30_000)
  expect(bench.failures).toEqual([])
})

test('Writer when ended calls back at once, or after everything queued', () => {
  const idle = new Bench()
  let calls = 0
  idle.writer.end(() => calls++)
  expect(calls).toBe(1)
  const busy = new Bench()
  busy.data(1)
  busy.clock.runTurn()
  busy.data(2)
  busy.writer.end(() => calls++)
  busy.written()
  expect([calls, firstBytes(busy.lastWrite)]).toEqual([1, [2]])
  busy.written()
  expect(calls).toBe(2)
})

test('Writer when ended accepts no more, and counts new packets (P-102)', () => {
  const bench = new Bench()
  bench.data(1)
  bench.writer.end(() => {})
  bench.data(2)
  bench.writer.sendControl(Uint8Array.of(9))
  expect(bench.writer.sendPong(Uint8Array.of(9))).toBe(false)
  bench.written()
  expect(bench.writes).toHaveLength(1)
  expect(bench.counters.dropped.gone_disconnected.other.packets).toBe(1)
})

test('Writer loses its oldest packets when too much is queued for all, other packets before disco (P-104)', () => {
  const budget = new QueueBudget(2_000)
  const [slow, slower] = [new Bench({}, budget), new Bench({}, budget)]
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
  const bench = new Bench()
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
  const bench = new Bench()
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
  const benches: Bench[] = []
  const budget = new QueueBudget(300, () => benches.map(({ writer }) => writer))
  for (const bytes of [50, 200]) {
    const bench = new Bench({}, budget)
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
