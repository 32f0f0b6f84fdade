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
  const names: Names = { name: () => 'asking' }
  return { asking: new ThreadCalls<Sums>(port1, names), answering: new ThreadCalls<Names>(port2, sums) }
}

test('ThreadCalls asks either way, and brings answers to those who asked', async () => {
  const { asking, answering } = pair()
  const answers = await Promise.all([asking.call('add', 1, 2), asking.call('add', 3, 4), answering.call('name')])
  expect(answers).toEqual([3, 7, 'asking'])
})

test('ThreadCalls rejects with message and code of what went wrong there', async () => {
  const { asking } = pair()
  await expect(asking.call('fail', 'EADDRINUSE')).rejects.toMatchObject({
    message: 'listen: taken',
    code: 'EADDRINUSE',
  })
  const wrong = asking as unknown as ThreadCalls<Names>
  await expect(wrong.call('name')).rejects.toThrow('ask thread for name: it knows no such call')
  const [port1, port2] = channel()
  const other = new ThreadCalls<Names>(port1, {})
  new ThreadCalls<Names>(port2, { name: () => () => 'a function' } satisfies Names)
  await expect(other.call('name')).rejects.toThrow('could not be cloned')
})

test('ThreadCalls rejects what has no answer once the other thread has ended, and all that is asked later', async () => {
  const program = `import { parentPort } from 'node:worker_threads'; parentPort.once('message', () => process.exit(3))`
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(program)}`))
  const asking = new ThreadCalls<Names>(worker, {})
  worker.once('exit', () => asking.close())
  await Promise.all([
    expect(asking.call('name')).rejects.toThrow('ask thread for an answer: it has ended'),
    once(worker, 'exit'),
  ])
  await expect(asking.call('name')).rejects.toThrow('ask thread for name: it has ended')
})
