import { expect, test } from 'vitest'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { settle } from '../../test/support/settle.ts'
import { SourceDownError } from './policy.ts'
import { RequestQueue } from './request-queue.ts'

const down = (isTransport: boolean) => new SourceDownError('url', 'down', { isTransport })

/** Requests that are sent through a queue of two, and end when the test says so. */
function requests(count: number) {
  const clock = new FakeClock()
  const queue = new RequestQueue('url', { maxRequests: 2, patienceMs: 10_000 }, clock)
  const sent: number[] = []
  const responses = Array.from({ length: count }, () => Promise.withResolvers<string>())
  const results = responses.map(({ promise }, at) => {
    const result = queue.run(() => {
      sent.push(at)
      return promise
    })
    return result.catch((error: unknown) => error)
  })
  return { clock, queue, sent, responses, results }
}

test('RequestQueue sends a bounded number of requests at a time (P-040)', async () => {
  const { sent, responses, results } = requests(4)
  await settle()
  expect(sent).toEqual([0, 1])
  for (const [at, { resolve }] of responses.entries()) {
    resolve(`response ${at}`)
    expect(await results[at]).toBe(`response ${at}`)
  }
  expect(sent).toEqual([0, 1, 2, 3])
})

test('RequestQueue rejects a request that waited too long, as a local failure (P-040)', async () => {
  const { clock, queue, sent, responses, results } = requests(3)
  await settle()
  clock.advance(9_999)
  responses[0]?.resolve('late')
  await results[0]
  await settle()
  expect(sent).toEqual([0, 1, 2])
  const last = queue.run(async () => 'never sent').catch((error: unknown) => error)
  clock.advance(10_000)
  expect(await last).toMatchObject({ isTransport: false, isOwn: true, message: expect.stringContaining('too many') })
  for (const { resolve } of responses) resolve('done')
  expect(await queue.run(async () => 'next')).toBe('next')
  expect(clock.pendingTimers).toBe(0)
})

test('RequestQueue fails all waiting requests once one has found the backend unreachable (P-040)', async () => {
  const { queue, sent, responses, results } = requests(4)
  await settle()
  const failure = down(true)
  responses[0]?.reject(failure)
  expect(await Promise.all([results[0], results[2], results[3]])).toEqual([failure, failure, failure])
  expect(sent).toEqual([0, 1])
  responses[1]?.resolve('answered')
  expect(await results[1]).toBe('answered')
  expect(await queue.run(async () => 'next')).toBe('next')
})

test.each([
  ['an invalid response', down(false)],
  ['a shortage of our own', new SourceDownError('url', 'short', { isTransport: true, isOwn: true })],
])('RequestQueue continues with the others after %s (P-040)', async (_, failure) => {
  const { sent, responses, results } = requests(3)
  await settle()
  responses[0]?.reject(failure)
  expect(await results[0]).toBe(failure)
  await settle()
  expect([sent, failure.isTransport]).toEqual([[0, 1, 2], false])
  responses[1]?.resolve('one')
  responses[2]?.resolve('two')
  expect(await Promise.all(results.slice(1))).toEqual(['one', 'two'])
})
