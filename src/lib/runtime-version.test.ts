import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { OLDEST_NODE, runtimeProblem } from './runtime-version.ts'

test.each(['24.11.0', '24.12.1', '25.0.0', '100.0.0'])('runtimeProblem has nothing against Node %s', node => {
  expect(runtimeProblem({ node })).toBeUndefined()
})

test.each(['24.10.9', '23.99.0', '20.20.2', '8.0.0'])('runtimeProblem tells what Node %s lacks', node => {
  expect(runtimeProblem({ node })).toBe(
    `Node.js 24.11 or newer is needed, this is ${node}: install a current one from nodejs.org`,
  )
})

test('runtimeProblem leaves other runtimes and browsers alone', () => {
  expect(runtimeProblem({ node: '20.0.0', bun: '1.4.5' })).toBeUndefined()
  expect(runtimeProblem({ node: '20.0.0', deno: '2.5.0' })).toBeUndefined()
  expect(runtimeProblem(undefined)).toBeUndefined()
})

test('package.json asks for the same Node', () => {
  const { engines } = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8'))
  expect(engines.node).toBe(`>=${OLDEST_NODE}`)
})
