import { expect, test } from 'vitest'
import { descriptorBudget, requestBudget } from './descriptor-budget.ts'

test.each([
  ['1024', 960],
  ['1048576', 983_040],
  ['100', 50],
  ['unlimited', undefined],
])('descriptorBudget of a limit of %s descriptors (P-109)', (limit, budget) => {
  expect(descriptorBudget(1, `Max processes  5  6  processes\nMax open files  ${limit}  ${limit}  files\n`)).toBe(
    budget,
  )
})

test.each([
  ['256', 4, 168],
  ['65536', 4, 61_440],
])(
  'descriptorBudget of a limit of %s descriptors for %i workers leaves some to each (P-109)',
  (limit, workers, budget) => {
    expect(descriptorBudget(workers, `Max open files  ${limit}  ${limit}  files\n`)).toBe(budget)
  },
)

test('descriptorBudget knows no number where the system tells none', () => {
  expect(descriptorBudget(1, '')).toBeUndefined()
})

test.each([
  ['256', 16],
  ['1024', 16],
  ['65536', 256],
  ['6', 1],
  ['unlimited', 256],
])('requestBudget of a limit of %s descriptors is a part of the reserve (P-040)', (limit, budget) => {
  expect(requestBudget(1, `Max open files  ${limit}  ${limit}  files\n`)).toBe(budget)
})

test.runIf(process.platform === 'linux')('descriptorBudget knows the limit of this process (P-109)', () => {
  expect(descriptorBudget(1)).toBeGreaterThan(10)
})
