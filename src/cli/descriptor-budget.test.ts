import { expect, test } from 'vitest'
import { descriptorBudget } from './descriptor-budget.ts'

test.each([
  ['1024', 960],
  ['1048576', 983_040],
  ['100', 50],
  ['unlimited', undefined],
])('descriptorBudget of a limit of %s descriptors (P-109)', (limit, budget) => {
  expect(descriptorBudget(`Max processes  5  6  processes\nMax open files  ${limit}  ${limit}  files\n`)).toBe(budget)
})

test('descriptorBudget knows no number where the system tells none', () => {
  expect(descriptorBudget('')).toBeUndefined()
})

test.runIf(process.platform === 'linux')('descriptorBudget knows the limit of this process (P-109)', () => {
  expect(descriptorBudget()).toBeGreaterThan(10)
})
