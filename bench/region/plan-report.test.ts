import { expect, test } from 'vitest'
import { planAnswer } from './plan-report.ts'
import { readScaling } from './scaling.ts'

const { costs } = readScaling()
const answer = (...args: string[]) => planAnswer(args, costs)

test('a plan is a table of region and mesh', () => {
  const text = answer('--relays', '4', '--clients', '20000', '--by', 'model')
  expect(text).toContain('4 relays, 20,000 clients, by model')
  expect(text).toMatch(/^\| relay: processor +\| % of a core +\| +[\d.]+ \| +[\d.]+ \|$/m)
  expect(text).toMatch(/^\| links +\| +\| +12 \| +12 \|$/m)
  expect(text).toMatch(/^Heals [\d,]+ ms after the kill of a relay/m)
})

test('a plan is JSON for programs', () => {
  const plan = JSON.parse(answer('--relays', '2', '--clients', '60', '--flow-packets', '10', '--json'))
  expect([plan.method, plan.workload.relays, plan.costs]).toEqual(['simulation', 2, costs])
  expect(plan.region.relay.cores).toBeGreaterThan(0)
})

test('the number of relays is found', () => {
  const plan = JSON.parse(answer('--clients', '400000', '--fit', '--by', 'model', '--json'))
  expect(plan.workload.relays).toBeGreaterThan(3)
  expect(plan.region.largest.cores).toBeLessThan(0.61)
  expect(() => answer('--clients', '1e9', '--fit')).toThrow('no number of relays carries 1000000000 clients')
})

test('the usage is shown', () => {
  expect(answer('--help')).toMatch(/^usage: npm run simulate/)
})
