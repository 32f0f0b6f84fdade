import { expect, test } from 'vitest'
import { firstBytes, OVERHEAD, WriterBench } from '../../../test/support/writer-bench.ts'
import { DropReason } from '../../metrics/drop-reason.ts'
import { NO_SOURCE } from './writer.ts'

const ascending = (size: number) => Uint8Array.from({ length: size }, (_, at) => at & 255)

test('Writer writes the frames of one turn at once, at its end', () => {
  const bench = new WriterBench()
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
  expect(bench.writer.tally).toMatchObject({ bytesSent: 2 + OVERHEAD + 1, packetsSent: 1, packetBytesSent: 1 })
})

test('Writer requests one flush per turn, again after each write', () => {
  const bench = new WriterBench()
  for (const n of [1, 2]) {
    bench.writer.sendControl(Uint8Array.of(n))
    bench.writer.sendControl(Uint8Array.of(n))
    bench.clock.runTurn()
    expect([bench.lastWrite, bench.turnsAsked]).toEqual([[[n], [n]], n])
    bench.written()
    expect(bench.writer.pendingBytes).toBe(0)
  }
  bench.clock.runTurn()
  expect(bench.writes).toHaveLength(2)
})

test('Writer joins adjacent frames of one buffer into one chunk, and only those', () => {
  const bench = new WriterBench()
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
  expect(bench.writer.pendingBytes).toBe(100 + 49 + 100 + 50)
  expect(bench.counters.bufferedWriteFrames.sum).toBe(5)
})

test('Writer does not join a frame to a chunk of an earlier write', () => {
  const bench = new WriterBench()
  const buffer = ascending(100)
  bench.writer.sendPacket(buffer, 0, 50, 'other')
  bench.clock.runTurn()
  bench.written()
  bench.writer.sendPacket(buffer, 50, 100, 'other')
  bench.clock.runTurn()
  expect(bench.lastWrite).toEqual([[...buffer.subarray(50)]])
})

test('Writer does not wait for the end of the turn once a write is full', () => {
  const bench = new WriterBench({ maxWriteBytes: 2 * (OVERHEAD + 1) })
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
  const bench = new WriterBench()
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
  const bench = new WriterBench()
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
  const bench = new WriterBench({ sendQueuePackets: 2 })
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
  const bench = new WriterBench({ sendQueuePackets: 2, maxWriteBytes: 4 * (OVERHEAD + 1) })
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
  const bench = new WriterBench()
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
  const bench = new WriterBench()
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
  const bench = new WriterBench({ maxWriteBytes: 2 * (OVERHEAD + 1) })
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
  const bench = new WriterBench()
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
  const bench = new WriterBench({ sendQueuePackets: 2 })
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
  const bench = new WriterBench()
  bench.data(1)
  bench.clock.runTurn()
  bench.data(2)
  bench.data(3)
  bench.clock.advance(1)
  bench.written()
  expect([bench.counters.queueAgeMs.count, bench.counters.queueAgeMs.sum]).toEqual([3, 0])
})

test('Writer joins contiguous frames received as separate views', () => {
  const bench = new WriterBench()
  const slab = ascending(200)
  for (const at of [0, 50, 100]) bench.writer.sendPacket(slab.subarray(at, at + 50), 0, 50, 'other')
  bench.writer.sendPacket(slab.subarray(151, 200), 0, 49, 'other')
  bench.writer.sendPacket(new Uint8Array(200).subarray(200), 0, 0, 'other')
  bench.clock.runTurn()
  expect(bench.lastWrite).toEqual([[...slab.subarray(0, 150)], [...slab.subarray(151, 200)], []])
})

test('Writer joins contiguous frames wherever they are in their views', () => {
  const bench = new WriterBench()
  const slab = ascending(200)
  bench.writer.sendPacket(slab.subarray(20, 70), 10, 50, 'other')
  bench.writer.sendPacket(slab.subarray(60, 150), 10, 60, 'other')
  bench.clock.runTurn()
  expect(bench.lastWrite).toEqual([[...slab.subarray(30, 120)]])
})

test('Writer on hold queues everything, and sends the release frame first (P-036)', () => {
  const bench = new WriterBench()
  bench.writer.hold()
  bench.data(3)
  bench.writer.sendControl(Uint8Array.of(2))
  bench.clock.runTurn()
  expect(bench.writes).toEqual([])
  bench.writer.release(Uint8Array.of(1))
  expect(firstBytes(bench.lastWrite)).toEqual([1, 2, 3])
})

test('Writer on hold finishes the pending write, and starts no other', () => {
  const bench = new WriterBench()
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
  const bench = new WriterBench()
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
  const bench = new WriterBench()
  bench.writer.sendControl(Uint8Array.of(1))
  bench.clock.runTurn()
  bench.writer.hold()
  bench.writer.release(Uint8Array.of(2))
  expect(bench.writes).toHaveLength(1)
  bench.written()
  expect(bench.lastWrite).toEqual([[2]])
})

test('Writer when closed counts packets being written as write errors, queued ones as gone (P-102)', () => {
  const bench = new WriterBench()
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
  const bench = new WriterBench()
  bench.data(1, 10)
  bench.writer.close()
  bench.data(2, 20)
  bench.writer.sendControl(Uint8Array.of(3))
  expect(bench.writer.sendPong(Uint8Array.of(4))).toBe(false)
  expect(bench.writer.sendPacket(new Uint8Array(OVERHEAD), 0, OVERHEAD, 'disco')).toBe(false)
  bench.writer.flush()
  bench.clock.runTurn()
  expect([bench.writes, bench.budget.heldBytes]).toEqual([[], 0])
  expect(bench.counters.dropped[DropReason.GoneDisconnected].other).toEqual({ packets: 2, bytes: 30 })
  expect(bench.counters.dropped[DropReason.WriteError].other).toEqual({ packets: 0, bytes: 0 })
})

test('Writer whose write succeeds counts its packets as sent, and a close after that drops none of them', () => {
  const bench = new WriterBench()
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

test('Writer when ended calls back at once, or after everything queued', () => {
  const idle = new WriterBench()
  let calls = 0
  idle.writer.end(() => calls++)
  expect(calls).toBe(1)
  const busy = new WriterBench()
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
  const bench = new WriterBench()
  bench.data(1)
  bench.writer.end(() => {})
  bench.data(2)
  bench.writer.sendControl(Uint8Array.of(9))
  expect(bench.writer.sendPong(Uint8Array.of(9))).toBe(false)
  bench.written()
  expect(bench.writes).toHaveLength(1)
  expect(bench.counters.dropped.gone_disconnected.other.packets).toBe(1)
})

test('Writer takes no more control frames than one write holds (P-100)', () => {
  const bench = new WriterBench({ maxWriteBytes: 4 })
  bench.writer.sendControl(Uint8Array.of(0, 0, 0, 0))
  for (let n = 1; n <= 3; n++) bench.writer.sendControl(Uint8Array.of(n, n))
  bench.written()
  expect(firstBytes(bench.lastWrite)).toEqual([1, 2])
  bench.written()
  expect(firstBytes(bench.lastWrite)).toEqual([3])
})

test('Writer takes no data packet once a disco packet has filled the write (P-100)', () => {
  const bench = new WriterBench({ maxWriteBytes: OVERHEAD + 1 })
  bench.data(0)
  bench.data(1)
  bench.disco(2)
  bench.written()
  expect(firstBytes(bench.lastWrite)).toEqual([2])
  bench.written()
  expect(firstBytes(bench.lastWrite)).toEqual([1])
})

test('Writer records the age of each queued packet once, of either kind (P-194)', () => {
  const bench = new WriterBench()
  const { queueAgeMs } = bench.counters
  bench.data(0)
  bench.clock.runTurn()
  bench.disco(1)
  bench.disco(2)
  bench.data(3)
  bench.clock.runTurn()
  bench.clock.advance(10)
  bench.written()
  expect([queueAgeMs.count, queueAgeMs.sum]).toEqual([4, 30])
})

test('Writer reports queued packets when they leave, except those without a source (P-051, P-062)', () => {
  const bench = new WriterBench()
  const left: unknown[] = []
  bench.writer.owner = {
    fail: error => bench.failures.push(error),
    packetLeaves: (sender, buffer, keyAt) => left.push([sender, buffer[keyAt]]),
  }
  bench.data(0)
  bench.clock.runTurn()
  const sender = {}
  bench.writer.sendPacket(new Uint8Array(10), 0, 10, 'other', NO_SOURCE)
  bench.writer.sendPacket(ascending(OVERHEAD), 0, OVERHEAD, 'other', sender)
  expect(left).toEqual([])
  bench.written()
  expect(left).toEqual([[sender, 5]])
})
