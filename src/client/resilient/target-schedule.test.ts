import { expect, test } from 'vitest'
import { fc } from '../../../test/support/fast-check.ts'
import { DerpError } from '../../lib/derp-error.ts'
import type { EndCause, RunEnd, Stage } from './supervised-connection.ts'
import { type Slot, TargetSchedule } from './target-schedule.ts'

const LIMITS = {
  backoff: { minMs: 250, maxMs: 30_000 },
  denied: { minMs: 120_000, maxMs: 300_000 },
  duplicateMs: 60_000,
}

function setUp(...targets: string[]) {
  const schedule = new TargetSchedule<string>(LIMITS, () => 0)
  schedule.replace(targets, Object.is)
  const next = (nowMs: number) => {
    const found = schedule.next(nowMs)
    return found && [found.slot.target, found.delayMs]
  }
  const slot = (name: string) => schedule.slots.find(({ target }) => target === name) as Slot<string>
  return { schedule, next, slot }
}

const end = (fields: Partial<RunEnd> = {}): RunEnd => ({
  cause: 'failed',
  stage: 'connecting',
  error: new DerpError('ERR_DERP_DIAL_FAILED', 'no route'),
  isHealthy: false,
  problem: '',
  restarting: undefined,
  ...fields,
})
const lost = end({ stage: 'usable', isHealthy: true })
const restarting = (reconnectInMs: number, tryForMs: number, atMs: number) => ({
  type: 'serverRestarting' as const,
  reconnectInMs,
  tryForMs,
  atMs,
})

test('TargetSchedule returns the first target that is ready, otherwise the one ready soonest', () => {
  const { schedule, next, slot } = setUp('a', 'b')
  expect(next(0)).toEqual(['a', 0])
  expect(schedule.ended(slot('a'), end(), 0)).toBe('failed')
  expect(next(0)).toEqual(['b', 0])
  schedule.ended(slot('b'), end(), 10)
  expect(next(10)).toEqual(['a', 115])
  expect(next(125)).toEqual(['a', 0])
  expect(next(1_000)).toEqual(['a', 0])
})

test('TargetSchedule without targets returns none', () => {
  expect(setUp().next(0)).toBeUndefined()
})

test('TargetSchedule doubles the delay per target, and resets it after a healthy connection', () => {
  const { schedule, next, slot } = setUp('a')
  for (const delayMs of [125, 250, 500, 1_000]) {
    schedule.ended(slot('a'), end(), 0)
    expect(next(0)).toEqual(['a', delayMs])
  }
  schedule.healthy(slot('a'))
  schedule.ended(slot('a'), lost, 0)
  expect(next(0)).toEqual(['a', 125])
})

test('TargetSchedule returns to a node that was healthy, even if another is ready earlier', () => {
  const { schedule, next, slot } = setUp('a', 'b')
  expect(schedule.ended(slot('b'), lost, 0)).toBe('lost')
  expect(next(0)).toEqual(['b', 125])
  schedule.begun()
  expect(next(0)).toEqual(['a', 0])
  expect(schedule.ended(slot('a'), { ...lost, isHealthy: false }, 0)).toBe('lost')
  expect(next(0)).toEqual(['a', 125])
  expect(schedule.ended(slot('a'), { ...lost, cause: 'unanswered' }, 0)).toBe('unanswered')
  expect(next(0)).toEqual(['b', 125])
})

test('TargetSchedule keeps the record of remaining targets, and returns those removed', () => {
  const { schedule, next, slot } = setUp('a', 'b')
  schedule.ended(slot('a'), end(), 0)
  const b = slot('b')
  expect(schedule.replace(['c', 'a'], Object.is)).toEqual([b])
  expect(next(0)).toEqual(['c', 0])
  schedule.ended(slot('c'), end(), 0)
  schedule.ended(slot('c'), end(), 0)
  expect(next(0)).toEqual(['a', 125])
})

test('TargetSchedule does not return to a target that has gone', () => {
  const { schedule, next, slot } = setUp('a', 'b')
  const b = slot('b')
  schedule.ended(b, lost, 0)
  schedule.replace(['a'], Object.is)
  expect(next(0)).toEqual(['a', 0])
  expect(schedule.ended(b, lost, 0)).toBe('targetsReplaced')
  expect(next(0)).toEqual(['a', 0])
})

test('TargetSchedule does not count an announced restart as failure, within its time (P-093)', () => {
  const { schedule, next, slot } = setUp('a', 'b')
  expect(schedule.ended(slot('a'), { ...lost, restarting: restarting(4_000, 3_000, 1_000) }, 2_000)).toBe('restarting')
  expect(next(2_000)).toEqual(['a', 3_000])
  expect(slot('a').failures).toBe(0)
  for (const [nowMs, delayMs] of [
    [5_000, 125],
    [5_200, 250],
    [5_500, 500],
  ] as const) {
    expect(schedule.ended(slot('a'), end(), nowMs)).toBe('restarting')
    expect(next(nowMs)).toEqual(['a', delayMs])
  }
  schedule.begun()
  expect(schedule.ended(slot('a'), end(), 7_900)).toBe('failed')
  expect(next(7_900)).toEqual(['b', 0])
  expect(slot('a').failures).toBe(1)
})

test('TargetSchedule limits a restart to a minute, and does not count its closed logins as a denial (P-093)', () => {
  const { schedule, slot } = setUp('a')
  const closed = end({ stage: 'loggingIn', error: new DerpError('ERR_DERP_CONN_CLOSED', 'closed') })
  schedule.ended(slot('a'), { ...lost, restarting: restarting(0, 0xffffffff, 0) }, 0)
  for (const nowMs of [1_000, 2_000, 3_000, 4_000]) {
    expect(schedule.ended(slot('a'), closed, nowMs)).toBe('restarting')
  }
  expect(schedule.ended(slot('a'), closed, 60_000)).toBe('failed')
})

test('TargetSchedule honours only the delay from a relay that was not healthy (P-093)', () => {
  const { schedule, next, slot } = setUp('a')
  const end = { ...lost, isHealthy: false, restarting: restarting(4_000, 1e9, 0) }
  expect(schedule.ended(slot('a'), end, 0)).toBe('lost')
  expect(next(0)).toEqual(['a', 4_000])
  expect(slot('a').failures).toBe(1)
  expect(schedule.hasten(0)).toBe(false)
})

test('TargetSchedule counts closed logins in a row', () => {
  const { schedule, slot } = setUp('a')
  const closed = end({ stage: 'loggingIn', error: new DerpError('ERR_DERP_CONN_CLOSED', 'closed') })
  const reasons = [closed, closed, end(), closed, closed, closed, closed].map((how, i) =>
    schedule.ended(slot('a'), how, i * 1_000_000),
  )
  expect(reasons).toEqual(['failed', 'failed', 'failed', 'failed', 'failed', 'denied', 'denied'])
})

test('TargetSchedule.hasten makes failed targets ready soon, at a bounded pace', () => {
  const { schedule, next, slot } = setUp('a')
  for (let i = 0; i < 10; i++) schedule.ended(slot('a'), end(), 0)
  expect(next(0)).toEqual(['a', 15_000])
  expect(schedule.hasten(0)).toBe(true)
  expect(next(0)).toEqual(['a', 125])
  expect(schedule.hasten(0)).toBe(false)
  schedule.ended(slot('a'), end(), 1_000)
  expect(schedule.hasten(4_999)).toBe(false)
  expect(schedule.hasten(5_000)).toBe(true)
})

const arbitraryEnd: fc.Arbitrary<RunEnd> = fc.record({
  cause: fc.constantFrom<EndCause>('failed', 'unanswered', 'networkChanged'),
  stage: fc.constantFrom<Stage>('connecting', 'loggingIn', 'usable'),
  error: fc.constantFrom(
    new DerpError('ERR_DERP_CONN_CLOSED', 'closed'),
    new DerpError('ERR_DERP_ADMISSION_DENIED', 'no'),
  ),
  isHealthy: fc.constant(false),
  problem: fc.constantFrom('', 'duplicate'),
  restarting: fc.option(fc.constant(restarting(0, 0xffffffff, 0)), { nil: undefined }),
})

test('TargetSchedule limits attempts per target, however they end, unless one was healthy', () => {
  fc.assert(
    fc.property(fc.array(arbitraryEnd, { minLength: 50, maxLength: 200 }), ends => {
      const schedule = new TargetSchedule<string>(LIMITS, () => 0)
      schedule.replace(['a', 'b'], Object.is)
      const attempts = { a: [] as number[], b: [] as number[] }
      let nowMs = 0
      for (const end of ends) {
        const found = schedule.next(nowMs)
        if (found === undefined) throw new Error('no target')
        nowMs += found.delayMs
        attempts[found.slot.target as 'a' | 'b'].push(nowMs)
        schedule.begun()
        schedule.ended(found.slot, end, nowMs)
      }
      for (const times of Object.values(attempts)) {
        for (const startMs of times) {
          expect(times.filter(atMs => atMs >= startMs && atMs < startMs + 60_000).length).toBeLessThanOrEqual(22)
        }
      }
    }),
    { numRuns: 200, seed: 7 },
  )
})
