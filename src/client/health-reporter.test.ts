import { expect, test } from 'vitest'
import { silentLog } from '../lib/log.ts'
import { HealthReporter } from './health-reporter.ts'

function setUp() {
  const told: unknown[] = []
  const tracker = {
    setConnected: (connected: boolean) => told.push(connected),
    setProblem: (problem: string | undefined) => told.push(problem ?? 'well'),
  }
  return { told, tracker, reporter: new HealthReporter(() => tracker, silentLog) }
}

test('HealthReporter reports only changes (P-092)', () => {
  const { told, reporter } = setUp()
  reporter.onEnd()
  reporter.connected()
  reporter.connected()
  for (const text of ['', 'slow', 'slow', 'slower', '', '']) reporter.onHealth(text)
  reporter.onEnd()
  reporter.onEnd()
  expect(told).toEqual([true, 'slow', 'slower', 'well', false])
})

test('HealthReporter clears a problem when its connection ends (P-092)', () => {
  const { told, reporter } = setUp()
  reporter.connected()
  reporter.onHealth('duplicate')
  reporter.onEnd()
  reporter.connected()
  expect(told).toEqual([true, 'duplicate', 'well', false, true])
})

test('HealthReporter logs exceptions of a tracker, and continues', () => {
  const errors: unknown[] = []
  const { tracker, told } = setUp()
  const log = { ...silentLog, error: (_message: string, fields?: object) => errors.push(fields) }
  const error = new Error('tracker is broken')
  const reporter = new HealthReporter(
    () => ({
      ...tracker,
      setProblem() {
        throw error
      },
    }),
    log,
  )
  reporter.connected()
  reporter.onHealth('slow')
  reporter.onEnd()
  expect(told).toEqual([true, false])
  expect(errors).toEqual([{ error }, { error }])
})

test('HealthReporter works without a tracker', () => {
  const reporter = new HealthReporter(() => undefined, silentLog)
  reporter.connected()
  expect(() => reporter.onHealth('slow')).not.toThrow()
})
