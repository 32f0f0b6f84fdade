import { expect, test } from 'vitest'
import { drainSettings } from './drain-settings.ts'

const FLAGS = {
  dev: false,
  'drain-delay': 0,
  'drain-time': 5_000,
  'drain-try-for': 3_000,
  'drain-deadline': 0,
}

test('drainSettings adds a grace period to the default deadline', () => {
  expect(drainSettings(FLAGS, new Set())).toEqual({
    delayMs: 0,
    spreadMs: 5_000,
    tryForMs: 3_000,
    deadlineMs: 8_000,
  })
  expect(drainSettings({ ...FLAGS, 'drain-delay': 10_000 }, new Set()).deadlineMs).toBe(18_000)
  expect(drainSettings({ ...FLAGS, 'drain-deadline': 5_000 }, new Set()).deadlineMs).toBe(5_000)
})

test('drainSettings does not spread in development mode unless -drain-time is set', () => {
  expect(drainSettings({ ...FLAGS, dev: true }, new Set())).toMatchObject({ spreadMs: 0, deadlineMs: 3_000 })
  expect(drainSettings({ ...FLAGS, dev: true }, new Set(['drain-time']))).toMatchObject({ spreadMs: 5_000 })
})

test('drainSettings refuses a deadline before the end of the drain, and negative times', () => {
  const late = { ...FLAGS, 'drain-delay': 2_000, 'drain-deadline': 6_999 }
  expect(() => drainSettings(late, new Set())).toThrow(
    'set flag -drain-deadline to "6999ms": shorter than -drain-delay plus -drain-time, 7s; 0 is for 3s more than that',
  )
  for (const name of ['drain-delay', 'drain-time', 'drain-try-for', 'drain-deadline'] as const) {
    expect(() => drainSettings({ ...FLAGS, [name]: -1 }, new Set())).toThrow(`set flag -${name} to "-1ms"`)
  }
})
