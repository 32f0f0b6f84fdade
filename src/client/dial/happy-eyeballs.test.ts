import { expect, test } from 'vitest'
import { FakeClock } from '../../../test/support/fake-clock.ts'
import { settle } from '../../../test/support/settle.ts'
import { raceStaggered } from './happy-eyeballs.ts'

interface Runner {
  readonly signal: AbortSignal
  readonly outcome: PromiseWithResolvers<string>
}

function startRace({ count = 2, staggerMs = 200, signal = new AbortController().signal } = {}) {
  const clock = new FakeClock()
  const begun: (Runner | undefined)[] = []
  const discarded: string[] = []
  const attempts = Array.from({ length: count }, (_, i) => (stop: AbortSignal) => {
    const outcome = Promise.withResolvers<string>()
    begun[i] = { signal: stop, outcome }
    return outcome.promise
  })
  const discard = (late: string) => void discarded.push(late)
  const result = raceStaggered({ attempts, staggerMs, clock, signal, action: 'race', discard })
  result.catch(() => {})
  const runner = (i: number) => begun[i] as Runner
  const hasBegun = () => Array.from({ length: count }, (_, i) => begun[i] !== undefined)
  return { clock, discarded, result, runner, hasBegun }
}

test('raceStaggered starts the second attempt after its delay, and aborts it when the first wins (P-221)', async () => {
  const { clock, result, runner, hasBegun } = startRace()
  clock.advance(199)
  expect(hasBegun()).toEqual([true, false])
  clock.advance(1)
  expect(hasBegun()).toEqual([true, true])
  expect(clock.pendingTimers).toBe(0)
  runner(0).outcome.resolve('first')
  expect(await result).toBe('first')
  expect(runner(1).signal.aborted).toBe(true)
})

test('raceStaggered starts no more attempts once one has won', async () => {
  const { clock, result, runner, hasBegun } = startRace({ count: 3 })
  clock.advance(200)
  runner(1).outcome.resolve('second')
  expect(await result).toBe('second')
  expect(clock.pendingTimers).toBe(0)
  clock.advance(1_000)
  expect(hasBegun()).toEqual([true, true, false])
})

test('raceStaggered starts the next at once when one fails, and the following one on schedule', async () => {
  const { clock, result, runner, hasBegun } = startRace({ count: 3 })
  clock.advance(150)
  runner(0).outcome.reject(new Error('first'))
  await settle()
  expect(hasBegun()).toEqual([true, true, false])
  clock.advance(199)
  expect(hasBegun()).toEqual([true, true, false])
  clock.advance(1)
  expect(hasBegun()).toEqual([true, true, true])
  runner(2).outcome.resolve('third')
  expect(await result).toBe('third')
})

test('raceStaggered without a stagger starts all at once', async () => {
  const { clock, result, runner, hasBegun } = startRace({ count: 3, staggerMs: 0 })
  expect(hasBegun()).toEqual([true, true, true])
  expect(clock.pendingTimers).toBe(0)
  runner(1).outcome.reject(new Error('second'))
  runner(2).outcome.resolve('third')
  expect(await result).toBe('third')
})

test('raceStaggered throws all errors, in order of occurrence', async () => {
  const { result, runner } = startRace({ staggerMs: 0 })
  runner(1).outcome.reject(new Error('second'))
  await settle()
  runner(0).outcome.reject(new Error('first'))
  const error: unknown = await result.catch(reason => reason)
  expect(error).toBeInstanceOf(AggregateError)
  expect((error as AggregateError).errors.map(String)).toEqual(['Error: second', 'Error: first'])
})

test('raceStaggered discards late results', async () => {
  const { result, runner, discarded } = startRace({ staggerMs: 0 })
  runner(0).outcome.resolve('first')
  runner(1).outcome.resolve('second')
  expect(await result).toBe('first')
  await settle()
  expect(discarded).toEqual(['second'])
})

test('raceStaggered starts nothing in the turn in which it is aborted', async () => {
  const controller = new AbortController()
  const { runner, result, hasBegun } = startRace({ signal: controller.signal })
  runner(0).outcome.reject(new Error('first'))
  controller.abort()
  await expect(result).rejects.toMatchObject({ code: 'ERR_DERP_ABORTED' })
  expect(hasBegun()).toEqual([true, false])
})

test('raceStaggered ends with its signal, and starts nothing if it was already aborted', async () => {
  const controller = new AbortController()
  const under = startRace({ signal: controller.signal })
  controller.abort()
  await expect(under.result).rejects.toMatchObject({ code: 'ERR_DERP_ABORTED' })
  expect([under.runner(0).signal.aborted, under.clock.pendingTimers]).toEqual([true, 0])
  under.runner(0).outcome.resolve('late')
  await settle()
  expect(under.discarded).toEqual(['late'])

  const before = startRace({ signal: AbortSignal.abort() })
  await expect(before.result).rejects.toMatchObject({ code: 'ERR_DERP_ABORTED' })
  expect(before.hasBegun()).toEqual([false, false])
})
