import { expect, test } from 'vitest'
import { HybridClock, MAX_AHEAD_MS } from './hybrid-clock.ts'

const PER_MS = 2_048

function clockAt(wallMs: number) {
  const wall = { ms: wallMs }
  return { wall, times: new HybridClock({ wallNow: () => wall.ms }) }
}

test('a hybrid clock returns wall time, strictly increasing (P-302)', () => {
  const { wall, times } = clockAt(1_000)
  expect([times.next(), times.next(), times.now()]).toEqual([1_000 * PER_MS, 1_000 * PER_MS + 1, 1_000 * PER_MS + 1])
  wall.ms = 500
  expect(times.next()).toBe(1_000 * PER_MS + 2)
  wall.ms = 2_000.5
  expect(times.next()).toBe(2_000.5 * PER_MS)
})

test('a hybrid clock is never behind received times, except those too far ahead (P-302, P-303)', () => {
  const { times } = clockAt(1_000)
  const far = (1_000 + MAX_AHEAD_MS) * PER_MS
  expect(times.hear(far)).toBe(true)
  expect(times.next()).toBe(far + 1)
  expect(times.hear(far + 1)).toBe(false)
  expect([times.hear(0), times.next()]).toEqual([true, far + 2])
  expect([times.aheadMs(far), times.aheadMs(0)]).toEqual([MAX_AHEAD_MS, -1_000])
})

test('a hybrid clock begins anew from wall time that was set back by more than 10 s (P-302)', () => {
  const { wall, times } = clockAt(30_000)
  times.next()
  wall.ms = 30_000 - MAX_AHEAD_MS
  expect([times.beginAnewIfSetBack(), times.now()]).toEqual([false, 30_000 * PER_MS])
  wall.ms--
  expect([times.beginAnewIfSetBack(), times.next()]).toEqual([true, wall.ms * PER_MS])
  expect(times.beginAnewIfSetBack()).toBe(false)
})
