import { expect, test } from 'vitest'
import { FakeClock } from '../../../test/support/fake-clock.ts'
import { settle } from '../../../test/support/settle.ts'
import { StandardError, type WriteTo } from './standard-error.ts'

/** What a descriptor does: takes this many bytes, or fails with this code. */
function descriptor(...outcomes: (number | string)[]) {
  const tried: string[] = []
  const writeTo: WriteTo = async (_, bytes) => {
    tried.push(Buffer.from(bytes).toString())
    const outcome = outcomes.shift() ?? bytes.length
    if (typeof outcome === 'string') throw Object.assign(new Error(outcome), { code: outcome })
    return outcome
  }
  return { tried, writeTo }
}

test('StandardError continues after a partial write to a pipe', async () => {
  const { tried, writeTo } = descriptor(4, 1)
  await new StandardError(new FakeClock(), 2, writeTo).write('añ\nb\n')
  expect(tried).toEqual(['añ\nb\n', 'b\n', '\n'])
})

test.each([
  ['full', 'EAGAIN', 50],
  ['on a full disk', 'ENOSPC', 1_000],
  ['a terminal that is gone', 'EIO', 1_000],
  ['a pipe without a reader', 'EPIPE', 1_000],
])('StandardError that is %s is retried, and no error is fatal', async (_, code, retryMs) => {
  const clock = new FakeClock()
  const { tried, writeTo } = descriptor(code, code)
  let isDone = false
  const writing = new StandardError(clock, 2, writeTo).write('a\n').then(() => {
    isDone = true
  })
  for (let tries = 1; tries <= 2; tries++) {
    await settle()
    expect(tried).toHaveLength(tries)
    clock.advance(retryMs - 1)
    await settle()
    expect([tried.length, isDone]).toEqual([tries, false])
    clock.advance(1)
  }
  await writing
  expect(tried).toEqual(['a\n', 'a\n', 'a\n'])
})
