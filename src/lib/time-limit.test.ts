import { expect, test } from 'vitest'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { settle } from '../../test/support/settle.ts'
import { DerpError } from './derp-error.ts'
import { withTimeLimit } from './time-limit.ts'

function setUp(signal?: AbortSignal) {
  const clock = new FakeClock()
  const late: string[] = []
  const work = Promise.withResolvers<string>()
  let given: AbortSignal | undefined
  const limit = {
    clock,
    timeoutMs: 100,
    action: 'do it',
    tooLate: () => new DerpError('ERR_DERP_DIAL_TIMEOUT', 'do it: too late'),
    signals: [signal],
    discard: (value: string) => void late.push(value),
  }
  const result = withTimeLimit(limit, stop => {
    given = stop
    return work.promise
  })
  result.catch(() => {})
  return { clock, late, work, result, isAborted: () => given?.aborted }
}

test('withTimeLimit returns the result of work that finishes in time', async () => {
  const { clock, late, work, result, isAborted } = setUp()
  clock.advance(99)
  work.resolve('done')
  expect(await result).toBe('done')
  expect([clock.pendingTimers, late, isAborted()]).toEqual([0, [], false])
})

test('withTimeLimit aborts work that takes too long and discards its late result', async () => {
  const { clock, late, work, result, isAborted } = setUp()
  clock.advance(100)
  await expect(result).rejects.toMatchObject({ code: 'ERR_DERP_DIAL_TIMEOUT' })
  expect(isAborted()).toBe(true)
  work.resolve('late')
  await settle()
  expect(late).toEqual(['late'])
})

test('withTimeLimit ends with the caller’s signal', async () => {
  const controller = new AbortController()
  const { clock, work, result } = setUp(controller.signal)
  controller.abort()
  await expect(result).rejects.toMatchObject({ code: 'ERR_DERP_ABORTED', message: 'do it: aborted by the caller' })
  work.reject(new Error('ended'))
  expect(clock.pendingTimers).toBe(0)
})

test('withTimeLimit passes on errors of the work', async () => {
  const { work, result } = setUp()
  work.reject(new Error('no way'))
  await expect(result).rejects.toThrow('no way')
})
