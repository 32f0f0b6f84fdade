import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { expect, test } from 'vitest'
import { createTallyMemory, MAIN_THREAD, SharedTally } from '../../src/listen/shared-tally.ts'
import type { TallyThreadData, TallyThreadResult } from '../support/tally-thread.ts'

const THREADS = 3
const COUNT = 20_000
const SOURCE = '\x7f\0\0\x01'

test.each([1, 2, 3])('threads that open connections concurrently never exceed %i (P-109)', async max => {
  const sourceRate = { perSecond: 0.001, burst: COUNT }
  const limits = { maxConnections: max, maxConnectionsPerSource: max, sourceRate }
  const memory = createTallyMemory(limits, THREADS + 1, [1, 2, 3, 4])
  const common = new SharedArrayBuffer(12)
  const workers = Array.from({ length: THREADS }, (_, at) => {
    const workerData: TallyThreadData = { memory, thread: at + 1, max, count: COUNT, common }
    return new Worker(new URL('../support/tally-thread.ts', import.meta.url), { workerData })
  })
  const results = workers.map(async worker => (await once(worker, 'message'))[0] as TallyThreadResult)
  const words = new Int32Array(common)
  await expect.poll(() => Atomics.load(words, 1)).toBe(THREADS)
  Atomics.store(words, 0, 1)
  Atomics.notify(words, 0)
  const done = await Promise.all(results)
  const sum = (of: keyof TallyThreadResult) => done.reduce((total, result) => total + result[of], 0)
  expect(Math.max(...done.map(({ mostOpen }) => mostOpen))).toBeLessThanOrEqual(max)
  expect(sum('taken') + sum('refused')).toBe(THREADS * COUNT)
  if (max === THREADS) expect(sum('refused')).toBe(0)
  // All threads together take exactly what the rate allows.
  expect(sum('allowed')).toBe(Math.min(COUNT, sum('taken')))
  const tally = new SharedTally(memory, MAIN_THREAD, sourceRate)
  expect(tally.open).toBe(0)
  expect([tally.tryOpenOf(SOURCE, 1), tally.tryOpenOf(SOURCE, 1)]).toEqual([true, false])
})
