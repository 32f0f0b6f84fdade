import { once } from 'node:events'
import { MessageChannel, Worker } from 'node:worker_threads'
import { afterEach, expect, test } from 'vitest'
import { ThreadCalls } from './thread-calls.ts'

interface Sums {
  add(a: number, b: number): Promise<number>
  fail(code: string): void
}

interface Names {
  name(): unknown
}

const cleanups: (() => void)[] = []
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup()
})

function channel() {
  const { port1, port2 } = new MessageChannel()
  cleanups.push(() => port1.close())
  return [port1, port2] as const
}

function pair() {
  const [port1, port2] = channel()
  const sums: Sums = {
    add: async (a, b) => a + b,
    fail: code => {
      throw Object.assign(new Error('listen: taken'), { code })
    },
  }
  const names: Names = { name: () => 'caller' }
  return { caller: new ThreadCalls<Sums>(port1, names), server: new ThreadCalls<Names>(port2, sums) }
}

test('ThreadCalls calls in both directions, and matches results to calls', async () => {
  const { caller, server } = pair()
  const answers = await Promise.all([caller.call('add', 1, 2), caller.call('add', 3, 4), server.call('name')])
  expect(answers).toEqual([3, 7, 'caller'])
})

test("ThreadCalls rejects with message and code of the other thread's error", async () => {
  const { caller } = pair()
  await expect(caller.call('fail', 'EADDRINUSE')).rejects.toMatchObject({
    message: 'listen: taken',
    code: 'EADDRINUSE',
  })
  const wrong = caller as unknown as ThreadCalls<Names>
  await expect(wrong.call('name')).rejects.toThrow("call thread's name: no such method")
  const [port1, port2] = channel()
  const other = new ThreadCalls<Names>(port1, {})
  new ThreadCalls<Names>(port2, { name: () => () => 'a function' } satisfies Names)
  await expect(other.call('name')).rejects.toThrow('could not be cloned')
})

test('ThreadCalls rejects pending and later calls once the other thread has ended', async () => {
  const program = `import { parentPort } from 'node:worker_threads'; parentPort.once('message', () => process.exit(3))`
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(program)}`))
  const caller = new ThreadCalls<Names>(worker, {})
  worker.once('exit', () => caller.close())
  await Promise.all([
    expect(caller.call('name')).rejects.toThrow("call thread's method: the thread has ended"),
    once(worker, 'exit'),
  ])
  await expect(caller.call('name')).rejects.toThrow("call thread's name: the thread has ended")
})
