import { expect, test } from 'vitest'
import { descriptorBudget, requestBudget } from './descriptor-budget.ts'

test.each([
  ['1024', 960],
  ['1048576', 983_040],
  ['100', 50],
  ['unlimited', undefined],
])('descriptorBudget with a limit of %s descriptors (P-109)', (limit, budget) => {
  expect(descriptorBudget(1, `Max processes  5  6  processes\nMax open files  ${limit}  ${limit}  files\n`)).toBe(
    budget,
  )
})

test.each([
  ['256', 4, 168],
  ['65536', 4, 61_440],
])(
  'descriptorBudget with a limit of %s reserves descriptors for each of %i workers (P-109)',
  (limit, workers, budget) => {
    expect(descriptorBudget(workers, `Max open files  ${limit}  ${limit}  files\n`)).toBe(budget)
  },
)

test('descriptorBudget is undefined if the system reports no limit', () => {
  expect(descriptorBudget(1, '')).toBeUndefined()
})

test.each([
  ['256', 16],
  ['1024', 16],
  ['65536', 256],
  ['6', 1],
  ['unlimited', 256],
])('requestBudget with a limit of %s descriptors is part of the reserve (P-040)', (limit, budget) => {
  expect(requestBudget(1, `Max open files  ${limit}  ${limit}  files\n`)).toBe(budget)
})

test.runIf(process.platform === 'linux')('descriptorBudget reads the limit of this process (P-109)', () => {
  expect(descriptorBudget(1)).toBeGreaterThan(10)
})
