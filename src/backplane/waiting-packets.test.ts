import { expect, test } from 'vitest'
import { NodePublicKey } from '../keys/node-key.ts'
import type { FinderSource } from '../server/region-ports.ts'
import { type WaitingPacket, WaitingPackets, type WaitingQueue } from './waiting-packets.ts'

const FRAME_BYTES = 100
const source: FinderSource = { key: NodePublicKey.fromBytes(new Uint8Array(32)), tellNotHere() {} }

function room(maxBytes?: number) {
  const displaced: number[] = []
  const packets = new WaitingPackets(({ frame }) => displaced.push(frame[0] as number), maxBytes)
  const add = (queue: WaitingQueue, n: number) =>
    packets.add(queue, source, 'other', new Uint8Array(FRAME_BYTES).fill(n))
  const numbers = (queue: readonly WaitingPacket[]) => queue.map(({ frame }) => frame[0])
  return { packets, displaced, add, numbers }
}

test('packets are queued in order, as copies, and taken together (P-310)', () => {
  const { packets, numbers } = room()
  const queue: WaitingQueue = []
  const frame = new Uint8Array(FRAME_BYTES)
  for (const n of [1, 2, 3]) packets.add(queue, source, 'other', frame.fill(n))
  frame.fill(9)
  expect([packets.size, packets.bytes]).toEqual([3, 300])
  expect(numbers(packets.takeAll(queue))).toEqual([1, 2, 3])
  expect([packets.size, packets.bytes, packets.takeAll(queue)]).toEqual([0, 0, []])
})

test('beyond 32 packets for one destination its oldest are dropped (P-310)', () => {
  const { packets, displaced, add, numbers } = room()
  const [one, other]: WaitingQueue[] = [[], []] as [WaitingQueue, WaitingQueue]
  add(other as WaitingQueue, 99)
  for (let n = 0; n < 34; n++) add(one as WaitingQueue, n)
  expect(displaced).toEqual([0, 1])
  expect(numbers(packets.takeAll(one as WaitingQueue)).length).toBe(32)
  expect(numbers(packets.takeAll(other as WaitingQueue))).toEqual([99])
})

test('beyond the total bytes the oldest of all are dropped, also after others have been taken (P-310)', () => {
  const { packets, displaced, add, numbers } = room(5 * FRAME_BYTES)
  const queues: [WaitingQueue, WaitingQueue, WaitingQueue] = [[], [], []]
  const [a, b, c] = queues
  for (const [n, queue] of [a, b, a, b, c].entries()) add(queue, n)
  add(c, 5)
  expect(displaced).toEqual([0])
  packets.takeAll(b)
  for (const n of [6, 7, 8]) add(c, n)
  expect(displaced).toEqual([0, 2])
  expect([numbers(a), numbers(c), packets.size]).toEqual([[], [4, 5, 6, 7, 8], 5])
})

test('beyond the total bytes the oldest of all are dropped, also after one was the 33rd of its destination (P-310)', () => {
  const { displaced, add, numbers } = room(33 * FRAME_BYTES)
  const [one, other]: [WaitingQueue, WaitingQueue] = [[], []]
  add(one, 0)
  add(other, 1)
  for (let n = 2; n < 34; n++) add(one, n)
  expect(displaced).toEqual([0])
  for (const n of [34, 35]) add(other, n)
  expect(displaced).toEqual([0, 1, 2])
  expect([one.length, numbers(other)]).toEqual([31, [34, 35]])
})

test('one large packet displaces several, the oldest of all first (P-310)', () => {
  const { packets, displaced, add, numbers } = room(4 * FRAME_BYTES)
  const [one, other]: [WaitingQueue, WaitingQueue] = [[], []]
  for (const [n, queue] of [one, other, one, other].entries()) add(queue, n)
  packets.add(one, source, 'other', new Uint8Array(3 * FRAME_BYTES).fill(4))
  expect([displaced, numbers(one), numbers(other)]).toEqual([[0, 1, 2], [4], [3]])
  expect([packets.size, packets.bytes]).toEqual([2, 4 * FRAME_BYTES])
})

test('packets taken do not count among the oldest, even if their destination is searched for again (P-310)', () => {
  const { packets, displaced, add, numbers } = room(3 * FRAME_BYTES)
  const [one, other]: [WaitingQueue, WaitingQueue] = [[], []]
  add(one, 0)
  packets.takeAll(one)
  for (const [n, queue] of [other, one, other, one].entries()) add(queue, n)
  expect([displaced, numbers(one), numbers(other)]).toEqual([[0], [1, 3], [2]])
})
