import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { expect, test } from 'vitest'
import { threadsClock } from '../../src/lib/node-clock.ts'

test('the threads’ clock is the same in all threads', async () => {
  const clock = new URL('../../src/lib/node-clock.ts', import.meta.url).href
  const program = `
    import { parentPort } from 'node:worker_threads'
    import { threadsClock } from ${JSON.stringify(clock)}
    parentPort.postMessage(threadsClock.now())
  `
  const beforeMs = threadsClock.now()
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(program)}`))
  const [toldMs] = await once(worker, 'message')
  expect(toldMs).toBeGreaterThan(beforeMs)
  expect(toldMs).toBeLessThan(threadsClock.now())
})
