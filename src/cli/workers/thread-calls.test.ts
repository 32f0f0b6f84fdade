import { once } from 'node:events'
import { MessageChannel, Worker } from 'node:worker_threads'
import { expect, test } from 'vitest'
import { ThreadCalls } from './thread-calls.ts'

interface Sums {
  add(a: number, b: number): Promise<number>
  fail(code: string): void
}

interface Names {
  name(): string
}

function pair() {
  const { port1, port2 } = new MessageChannel()
  const sums: Sums = {
    add: async (a, b) => a + b,
    fail: code => {
      throw Object.assign(new Error('listen: taken'), { code })
    },
  }
  const asking = new ThreadCalls<Sums>(port1, { name: () => 'asking' } satisfies Names)
  const answering = new ThreadCalls<Names>(port2, sums)
  return { asking, answering }
}

test('ThreadCalls asks either way, and brings answers to those who asked', async () => {
  const { asking, answering } = pair()
  const answers = await Promise.all([asking.call('add', 1, 2), asking.call('add', 3, 4), answering.call('name')])
  expect(answers).toEqual([3, 7, 'asking'])
  asking.close()
})

test('ThreadCalls rejects with message and code of what went wrong there', async () => {
  const { asking } = pair()
  await expect(asking.call('fail', 'EADDRINUSE')).rejects.toMatchObject({
    message: 'listen: taken',
    code: 'EADDRINUSE',
  })
  const wrong = asking as unknown as ThreadCalls<Names>
  await expect(wrong.call('name')).rejects.toThrow('ask thread for name: it knows no such call')
  const uncopied = { port: new MessageChannel() }
  const other = new ThreadCalls<Names>(uncopied.port.port1, {})
  new ThreadCalls<Names>(uncopied.port.port2, { name: () => () => 'a function' })
  await expect(other.call('name')).rejects.toThrow('could not be cloned')
  asking.close()
  other.close()
})

test('ThreadCalls rejects what has no answer when the other side closes, and all that is asked later', async () => {
  const { port1, port2 } = new MessageChannel()
  const asking = new ThreadCalls<Names>(port1, {})
  const waiting = asking.call('name')
  port2.close()
  await expect(waiting).rejects.toThrow('it has ended')
  await expect(asking.call('name')).rejects.toThrow('it has ended')
})

test('ThreadCalls rejects what has no answer when the other thread ends', async () => {
  const { port1, port2 } = new MessageChannel()
  const asking = new ThreadCalls<Names>(port1, {})
  const program = `import { workerData } from 'node:worker_threads'; workerData.once('message', () => process.exit(3))`
  const url = new URL(`data:text/javascript,${encodeURIComponent(program)}`)
  const worker = new Worker(url, { workerData: port2, transferList: [port2] })
  const ended = once(worker, 'exit')
  await expect(asking.call('name')).rejects.toThrow('it has ended')
  expect(await ended).toEqual([3])
})
