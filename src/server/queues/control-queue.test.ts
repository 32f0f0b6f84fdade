import { expect, test } from 'vitest'
import { ControlQueue } from './control-queue.ts'

const frame = (n: number) => new Uint8Array(n).fill(n)

test('ControlQueue returns frames in order, and knows how many bytes are queued', () => {
  const queue = new ControlQueue()
  expect([queue.isEmpty, queue.bytes, queue.take()]).toEqual([true, 0, undefined])
  for (const n of [1, 2, 3]) queue.push(frame(n))
  expect([queue.isEmpty, queue.bytes]).toEqual([false, 6])
  expect([queue.take(), queue.bytes]).toEqual([frame(1), 5])
  queue.push(frame(4))
  expect([queue.take(), queue.take(), queue.bytes, queue.isEmpty]).toEqual([frame(2), frame(3), 4, false])
  expect([queue.take(), queue.bytes, queue.isEmpty, queue.take()]).toEqual([frame(4), 0, true, undefined])
})

test('ControlQueue puts a frame before queued ones, not before those taken', () => {
  const queue = new ControlQueue()
  for (const n of [1, 2]) queue.push(frame(n))
  queue.take()
  queue.pushFirst(frame(3))
  expect(queue.bytes).toBe(5)
  expect([queue.take(), queue.take(), queue.take()]).toEqual([frame(3), frame(2), undefined])
  queue.pushFirst(frame(4))
  expect([queue.take(), queue.isEmpty]).toEqual([frame(4), true])
})
