import { expect, test } from 'vitest'
import { type JsonReport, RepeatTally } from './repeat-tally.ts'

/** A report of one file, with the failure of each test. */
function report(tests: Record<string, string | undefined>): JsonReport {
  const assertionResults = Object.entries(tests).map(([fullName, failure]) => ({
    fullName,
    status: failure === undefined ? 'passed' : 'failed',
    failureMessages: failure === undefined ? [] : [`${failure}\n    at somewhere`],
  }))
  const status = Object.values(tests).some(failure => failure !== undefined) ? 'failed' : 'passed'
  return { testResults: [{ name: '/project/test/a.test.ts', status, message: '', assertionResults }] }
}

test('RepeatTally names tests that failed at least once, with rate and messages, the most frequent first', () => {
  const tally = new RepeatTally('/project')
  expect(tally.add(report({ rare: undefined, often: 'Error: one', never: undefined }), 1)).toBe(1)
  expect(tally.add(report({ rare: 'Error: two', often: 'Error: three', never: undefined }), 1)).toBe(2)
  expect(tally.add(report({ rare: undefined, often: undefined, never: undefined }), 0)).toBe(0)
  expect(tally.redRuns).toBe(2)
  expect(tally.report().split('\n')).toEqual([
    '2/3 (67 %) of the runs failed',
    '2/3 (67 %)  test/a.test.ts > often',
    '    Error: one',
    '    Error: three',
    '1/3 (33 %)  test/a.test.ts > rare',
    '    Error: two',
    '',
  ])
})

test('RepeatTally counts a test only in runs that did not skip it', () => {
  const tally = new RepeatTally('/project')
  const skipped = { fullName: 'one', status: 'skipped', failureMessages: [] }
  tally.add({ testResults: [{ name: '/project/a', status: 'passed', message: '', assertionResults: [skipped] }] }, 0)
  tally.add(report({ one: 'Error: one' }), 1)
  expect(tally.report()).toContain('1/1 (100 %)  test/a.test.ts > one')
})

test('RepeatTally names a file that could not be loaded', () => {
  const tally = new RepeatTally('/project')
  const broken = { name: '/project/b.test.ts', status: 'failed', message: 'no such module', assertionResults: [] }
  expect(tally.add({ testResults: [broken] }, 1)).toBe(1)
  expect(tally.report()).toBe('1/1 (100 %) of the runs failed\n1/1 (100 %)  b.test.ts\n    no such module\n')
})

test('RepeatTally counts a run as failed when vitest fails and no test does', () => {
  const tally = new RepeatTally('/project')
  expect(tally.add(report({ one: undefined }), 1)).toBe(1)
  expect(tally.add(undefined, null)).toBe(1)
  expect(tally.add(report({ one: undefined }), 0)).toBe(0)
  expect(tally.report().split('\n')).toEqual([
    '2/3 (67 %) of the runs failed',
    '2/3 (67 %)  (no test failed, but vitest did)',
    '    exit code 1',
    '    exit code none, killed by a signal',
    '',
  ])
})
