import { getEventListeners } from 'node:events'
import { expect, test } from 'vitest'
import { rejectionsOf } from '../../test/support/rejections.ts'
import { DerpError } from '../lib/derp-error.ts'
import { ReceiveQueue } from './receive-queue.ts'

const gone = () => new DerpError('ERR_DERP_CONN_CLOSED', 'receive: gone')

test('ReceiveQueue delivers messages in order, to receivers in order', async () => {
  const queue = new ReceiveQueue<number>(1 << 20)
  queue.push(1, 0)
  const taken = [queue.take(), queue.take(), queue.take()]
  queue.push(2, 0)
  queue.push(3, 0)
  expect(await Promise.all(taken)).toEqual([1, 2, 3])
})

test('ReceiveQueue keeps order across many alternating pushes and takes', async () => {
  const queue = new ReceiveQueue<number>(1 << 20)
  const taken: number[] = []
  for (let i = 0; i < 300; i++) {
    queue.push(3 * i, 0)
    queue.push(3 * i + 1, 0)
    queue.push(3 * i + 2, 0)
    taken.push(await queue.take(), await queue.take())
  }
  while (taken.length < 900) taken.push(await queue.take())
  expect(taken).toEqual(Array.from({ length: 900 }, (_, i) => i))
})

test('ReceiveQueue is full from its limit on, and has room again at half', async () => {
  const queue = new ReceiveQueue<number>(4 * 1128)
  for (let i = 0; i < 3; i++) queue.push(i, 1000)
  expect(queue.isFull).toBe(false)
  queue.push(3, 1000)
  expect(queue.isFull).toBe(true)
  await queue.take()
  expect([queue.isFull, queue.hasRoom]).toEqual([false, false])
  await queue.take()
  expect(queue.hasRoom).toBe(true)
})

test('ReceiveQueue does not count messages that go straight to a receiver', () => {
  const queue = new ReceiveQueue<number>(1000)
  void queue.take()
  queue.push(1, 100_000)
  expect(queue.isFull).toBe(false)
})

test('ReceiveQueue loses no message to an aborted receiver', async () => {
  const queue = new ReceiveQueue<number>(1000)
  const controller = new AbortController()
  const first = queue.take(controller.signal)
  const second = queue.take()
  controller.abort()
  queue.push(1, 0)
  await expect(first).rejects.toMatchObject({ code: 'ERR_DERP_ABORTED' })
  await expect(second).resolves.toBe(1)
  queue.push(2, 0)
  await expect(queue.take(AbortSignal.abort())).rejects.toMatchObject({ code: 'ERR_DERP_ABORTED' })
  await expect(queue.take()).resolves.toBe(2)
})

test('ReceiveQueue releases the signal of a served receiver', async () => {
  const queue = new ReceiveQueue<number>(1000)
  const { signal } = new AbortController()
  const taken = [queue.take(signal), queue.take(signal)]
  queue.push(1, 0)
  queue.fail(gone())
  await Promise.allSettled(taken)
  expect(getEventListeners(signal, 'abort')).toHaveLength(0)
})

test('ReceiveQueue after a failure delivers its messages first, then always the first error', async () => {
  const queue = new ReceiveQueue<number>(1000)
  const first = gone()
  queue.push(1, 0)
  queue.fail(first)
  queue.fail(gone())
  await expect(queue.take()).resolves.toBe(1)
  await expect(queue.take()).rejects.toBe(first)
  await expect(queue.take()).rejects.toBe(first)
})

test('ReceiveQueue rejects waiting receivers when it fails', async () => {
  const queue = new ReceiveQueue<number>(1000)
  const waiting = [queue.take(), queue.take(new AbortController().signal)]
  const error = gone()
  queue.fail(error)
  expect(await rejectionsOf(waiting)).toEqual([error, error])
})

test('ReceiveQueue cleared is empty', async () => {
  const queue = new ReceiveQueue<number>(100)
  queue.push(1, 1000)
  const error = gone()
  queue.fail(error)
  queue.clear()
  expect(queue.isFull).toBe(false)
  await expect(queue.take()).rejects.toBe(error)
})
