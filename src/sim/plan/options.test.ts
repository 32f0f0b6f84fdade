import { expect, test } from 'vitest'
import { readPlanOptions, USAGE } from './options.ts'
import { USUAL_WORKLOAD } from './workload.ts'

test('without options, the usual workload is planned', () => {
  const { workload, method, fit, json, help, natsGoneMs } = readPlanOptions([])
  expect(workload).toEqual(USUAL_WORKLOAD)
  expect([method, fit, json, help, natsGoneMs]).toEqual([undefined, false, false, false, 10_000])
})

test('options change the workload', () => {
  const args = [
    '--relays',
    '7',
    '--clients=900',
    '--locality',
    '0.5',
    '--nats-gone',
    '3',
    '--by',
    'model',
    '--fit',
    '--json',
  ]
  const { workload, method, fit, json, natsGoneMs } = readPlanOptions(args)
  expect(workload).toEqual({ ...USUAL_WORKLOAD, relays: 7, clients: 900, locality: 0.5 })
  expect([method, fit, json, natsGoneMs]).toEqual(['model', true, true, 3_000])
})

test.each([
  [['--clients', 'many'], 'read --clients: "many" is no number of at least 0'],
  [['--session=-1'], 'read --session: "-1" is no number of at least 0'],
  [['--relays', '0'], 'relays is 0'],
  [['--by', 'guess'], 'read --by: "guess" is neither simulation nor model'],
  [['--relais', '2'], "Unknown option '--relais'"],
])('refuses %j', (args, problem) => {
  expect(() => readPlanOptions(args)).toThrow(problem)
})

test('the usage names every option with its default', () => {
  expect(USAGE).toContain('--relays N        relays; default 3')
  expect(USAGE).toContain('--locality N      share of them at the same relay; default: by chance')
})
