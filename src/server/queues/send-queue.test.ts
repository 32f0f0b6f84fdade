import { expect, test } from 'vitest'
import { SendQueue, type WaitingPacket } from './send-queue.ts'

/** A packet of `size` bytes `fill`, in the middle of a larger buffer. */
function received(fill: number, size = 1): WaitingPacket {
  const buffer = new Uint8Array(100)
  buffer.fill(fill, 10, 10 + size)
  return { buffer, start: 10, end: 10 + size, payloadBytes: size, sender: undefined, settledAtMs: undefined }
}

const contentOf = ({ buffer, start, end }: WaitingPacket) => [...buffer.subarray(start, end)]

function drain(queue: SendQueue): WaitingPacket[] {
  const taken: WaitingPacket[] = []
  for (let next = queue.take(); next !== undefined; next = queue.take()) taken.push(next)
  return taken
}

test('SendQueue returns packets in order, in their original buffers', () => {
  const queue = new SendQueue({ bytes: 0 })
  const packets = [received(1), received(2)]
  for (const packet of packets) queue.push(packet)
  expect(queue.length).toBe(2)
  const taken = drain(queue)
  expect([taken[0], taken[1]]).toEqual(packets)
  expect(taken[0]).toBe(packets[0])
  expect(queue.take()).toBeUndefined()
})

test('SendQueue keeps the order while growing and being emptied', () => {
  const queue = new SendQueue({ bytes: 0 })
  const seen: (number | undefined)[] = []
  for (let n = 0; n < 100; n++) {
    queue.push(received(n))
    if (n % 3 === 0) seen.push(queue.take()?.buffer[10])
  }
  seen.push(...drain(queue).map(packet => packet.buffer[10]))
  expect(seen).toEqual(Array.from({ length: 100 }, (_, n) => n))
})

test('SendQueue settles packets into one buffer of exactly their size, and releases their original buffers (P-100)', () => {
  const queue = new SendQueue({ bytes: 0 })
  const packets = [received(1, 10), received(2, 20), received(3, 30)]
  const buffers = packets.map(({ buffer }) => buffer)
  for (const packet of packets) queue.push(packet)
  queue.settle(5_000)
  for (const buffer of buffers) buffer.fill(0)
  const taken = drain(queue)
  expect(taken.map(contentOf)).toEqual([1, 2, 3].map(n => Array(n * 10).fill(n)))
  expect(new Set(taken.map(({ buffer }) => buffer)).size).toBe(1)
  expect(taken[0]?.buffer.buffer.byteLength).toBe(60)
  expect(taken.map(({ settledAtMs }) => settledAtMs)).toEqual([5_000, 5_000, 5_000])
})

test('SendQueue settles each packet once, only those added since', () => {
  const queue = new SendQueue({ bytes: 0 })
  for (const n of [1, 2, 3]) queue.push(received(n))
  queue.settle(10)
  expect(queue.take()?.settledAtMs).toBe(10)
  queue.push(received(4))
  queue.settle(20)
  queue.settle(30)
  queue.push(received(5))
  const taken = drain(queue)
  expect(taken.map(({ settledAtMs }) => settledAtMs)).toEqual([10, 10, 20, undefined])
  expect(taken.map(contentOf)).toEqual([[2], [3], [4], [5]])
})

test('SendQueue tracks its bytes, and those of all queues together', () => {
  const all = { bytes: 1_000 }
  const queue = new SendQueue(all)
  for (const size of [10, 20, 30]) queue.push(received(0, size))
  expect([queue.length, queue.bytes, all.bytes]).toEqual([3, 60, 1_060])
  queue.take()
  queue.settle(0)
  expect([queue.length, queue.bytes, all.bytes]).toEqual([2, 50, 1_050])
  drain(queue)
  expect([queue.length, queue.bytes, all.bytes]).toEqual([0, 0, 1_000])
})
