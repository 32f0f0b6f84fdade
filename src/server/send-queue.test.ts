import { expect, test } from 'vitest'
import { SendQueue } from './send-queue.ts'

const queued = (n: number, enqueuedAtMs: number) => ({ frame: Uint8Array.of(n), payloadBytes: 0, enqueuedAtMs })
const drain = (queue: SendQueue) => {
  const taken: (number | undefined)[] = []
  for (let next = queue.take(); next !== undefined; next = queue.take()) taken.push(next.frame[0])
  return taken
}

test('SendQueue gives frames back in order with the time they came', () => {
  const queue = new SendQueue(3)
  queue.push(queued(1, 10))
  queue.push(queued(2, 20))
  expect(queue.length).toBe(2)
  expect(queue.peek()).toEqual(queued(1, 10))
  expect(drain(queue)).toEqual([1, 2])
  expect(queue.peek()).toBeUndefined()
  expect(queue.take()).toBeUndefined()
})

test('SendQueue drops the oldest when full, so that the newest survives (P-100)', () => {
  const queue = new SendQueue(32)
  const dropped = Array.from({ length: 40 }, (_, n) => queue.push(queued(n, n))?.frame[0])
  expect(dropped.slice(0, 32)).toEqual(Array(32).fill(undefined))
  expect(dropped.slice(32)).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
  expect(queue.length).toBe(32)
  expect(drain(queue)).toEqual(Array.from({ length: 32 }, (_, n) => n + 8))
})

test('SendQueue lets go of what was taken, and keeps count of its bytes (P-100)', () => {
  const queue = new SendQueue(2)
  for (const size of [10, 20, 30]) queue.push({ ...queued(0, 0), frame: new Uint8Array(size) })
  expect([queue.length, queue.bytes]).toEqual([2, 50])
  queue.take()
  expect([queue.length, queue.bytes]).toEqual([1, 30])
  queue.take()
  queue.take()
  expect([queue.length, queue.bytes]).toEqual([0, 0])
})
