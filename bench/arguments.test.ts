import { expect, test } from 'vitest'
import { readArguments } from './arguments.ts'
import { chooseScenarios } from './scenarios/index.ts'

const chosen = (only: readonly string[], aimsOnly = false, workers = true) =>
  chooseScenarios({ only, aimsOnly, workers }).map(({ id }) => id)

test('parseArguments', () => {
  const asked = readArguments(['--quick', '--only', 'a,b', '--node-args=--x --y'])
  expect(asked).toMatchObject({ aimsOnly: true, only: ['a', 'b'], rounds: 3, nodeArgs: ['--x', '--y'] })
  expect(readArguments([])).toMatchObject({ aimsOnly: false, only: [], rounds: 5, contenders: [], against: undefined })
  expect(readArguments(['--aims'])).toMatchObject({ aimsOnly: true, rounds: 5 })
  expect(readArguments(['--against', 'main']).aimsOnly).toBe(true)
  expect(readArguments(['--contenders', 'newest,ours-bun']).contenders).toEqual(['newest', 'ours-bun'])
  expect(() => readArguments(['--contenders', 'theirs'])).toThrow(
    /^set option --contenders: "theirs" is none of ours-bun/,
  )
  expect(() => readArguments(['--rounds', '0'])).toThrow('set option --rounds to "0": not a whole number above 0')
})

test('a full name selects one scenario, a part selects all that contain it', () => {
  expect(chosen(['cpu-plain-64-20'])).toEqual(['cpu-plain-64-20'])
  expect(chosen(['cpu-plain-64'])).toEqual(['cpu-plain-64-1', 'cpu-plain-64-20', 'cpu-plain-64-200'])
  expect(() => chosen(['nothing'])).toThrow(/none has "nothing"/)
})

test('the aims, with two workers only if available', () => {
  expect(chosen([], true)).toHaveLength(10)
  expect(chosen([], true, false)).toHaveLength(9)
  expect(chosen([]).length).toBeGreaterThan(30)
})
