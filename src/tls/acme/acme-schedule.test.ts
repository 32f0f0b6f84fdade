import { expect, test } from 'vitest'
import {
  type AttemptHistory,
  afterClockSetBack,
  afterFailure,
  afterRestart,
  afterSuccess,
  FORGIVEN_FAILURES,
  NO_ATTEMPTS,
  renewalDueMs,
} from './acme-schedule.ts'

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
const START_MS = Date.UTC(2026, 10, 1)

function certificateOf(days: number) {
  return { fingerprint: '', notBeforeMs: START_MS, notAfterMs: START_MS + days * DAY_MS }
}

test.each([
  [90, 60],
  [365, 243.3],
  [10.1, 6.73],
  [10, 5],
  [6, 3],
  [6.67, 3.335],
])('renewalDueMs of a certificate for %d days is after %d days (P-149)', (days, due) => {
  expect((renewalDueMs(certificateOf(days), NO_ATTEMPTS, 0) - START_MS) / DAY_MS).toBeCloseTo(due, 1)
})

test('renewalDueMs is up to a twentieth of the lifetime earlier (P-149)', () => {
  const latest = renewalDueMs(certificateOf(90), NO_ATTEMPTS, 0)
  const earliest = renewalDueMs(certificateOf(90), NO_ATTEMPTS, 1)
  expect((latest - earliest) / DAY_MS).toBeCloseTo(4.5)
})

test('renewalDueMs keeps renewals a tenth of the lifetime apart, whatever the clock says (P-149)', () => {
  const nowMs = START_MS + 80 * DAY_MS
  expect(renewalDueMs(certificateOf(90), afterSuccess(nowMs), 0)).toBe(nowMs + 9 * DAY_MS)
})

test('afterFailure waits a minute, then twice as long each time up to an hour (P-149)', () => {
  const waits: number[] = []
  let history = NO_ATTEMPTS
  for (let nowMs = START_MS; waits.length < 9; nowMs = history.notBeforeMs) {
    history = afterFailure(history, nowMs, 0)
    waits.push((history.notBeforeMs - nowMs) / MINUTE_MS)
  }
  expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60])
  expect(history.failures).toBe(9)
  for (let i = 0; i < 2000; i++) history = afterFailure(history, START_MS, 0)
  expect(history.notBeforeMs).toBe(START_MS + 60 * MINUTE_MS)
})

test('afterFailure adds jitter, and honours Retry-After up to a day (P-149)', () => {
  const waitOf = (random: number, retryAfterMs?: number) =>
    afterFailure(NO_ATTEMPTS, START_MS, random, retryAfterMs).notBeforeMs - START_MS
  expect([waitOf(0), waitOf(0.5), waitOf(1)]).toEqual([60_000, 63_000, 66_000])
  expect([waitOf(0, 30_000), waitOf(0, 7_200_000), waitOf(0, 9e12)]).toEqual([60_000, 7_200_000, DAY_MS])
})

test('afterSuccess clears failures and remembers the time (P-149)', () => {
  expect(afterSuccess(START_MS)).toEqual({ failures: 0, notBeforeMs: 0, obtainedMs: START_MS })
})

test('afterRestart waives the wait for the first failures only (P-149)', () => {
  const history: AttemptHistory = { failures: FORGIVEN_FAILURES, notBeforeMs: START_MS + 1, obtainedMs: 0 }
  expect(afterRestart(history, START_MS)).toEqual({ ...history, notBeforeMs: 0 })
  const worse = { ...history, failures: FORGIVEN_FAILURES + 1 }
  expect(afterRestart(worse, START_MS)).toEqual(worse)
})

test('afterRestart ignores a record from the future (P-149)', () => {
  const history = { failures: 9, notBeforeMs: START_MS + 900 * DAY_MS, obtainedMs: START_MS + 900 * DAY_MS }
  expect(afterRestart(history, START_MS)).toEqual({
    failures: 9,
    notBeforeMs: START_MS + DAY_MS,
    obtainedMs: START_MS,
  })
})

test('afterClockSetBack waits for no time that lies more than a day ahead (P-149)', () => {
  const history = { failures: 2, notBeforeMs: START_MS + DAY_MS, obtainedMs: START_MS }
  expect(afterClockSetBack(history, START_MS)).toBe(history)
  const backMs = START_MS - 2 * DAY_MS
  expect(afterClockSetBack(history, backMs)).toEqual({ failures: 2, notBeforeMs: backMs, obtainedMs: backMs })
})
