import { expect, test } from 'vitest'
import { drainSettings } from './drain-settings.ts'

const FLAGS = {
  dev: false,
  'drain-delay': 0,
  'drain-time': 5_000,
  'drain-try-for': 3_000,
  'drain-deadline': 0,
}

test('drainSettings leaves some time after the last connection was ended, where no deadline is set', () => {
  expect(drainSettings(FLAGS, new Set())).toEqual({
    delayMs: 0,
    spreadMs: 5_000,
    tryForMs: 3_000,
    deadlineMs: 8_000,
  })
  expect(drainSettings({ ...FLAGS, 'drain-delay': 10_000 }, new Set()).deadlineMs).toBe(18_000)
  expect(drainSettings({ ...FLAGS, 'drain-deadline': 5_000 }, new Set()).deadlineMs).toBe(5_000)
})

test('drainSettings takes no time in development, unless told to', () => {
  expect(drainSettings({ ...FLAGS, dev: true }, new Set())).toMatchObject({ spreadMs: 0, deadlineMs: 3_000 })
  expect(drainSettings({ ...FLAGS, dev: true }, new Set(['drain-time']))).toMatchObject({ spreadMs: 5_000 })
})

test('drainSettings refuses a deadline before the last connection is ended, and times that make no sense', () => {
  const late = { ...FLAGS, 'drain-delay': 2_000, 'drain-deadline': 6_999 }
  expect(() => drainSettings(late, new Set())).toThrow(
    'set flag -drain-deadline to "6999ms": shorter than -drain-delay and -drain-time together, which are 7s; 0 for 3s more than these',
  )
  for (const name of ['drain-delay', 'drain-time', 'drain-try-for', 'drain-deadline'] as const) {
    expect(() => drainSettings({ ...FLAGS, [name]: -1 }, new Set())).toThrow(`set flag -${name} to "-1ms"`)
  }
})
