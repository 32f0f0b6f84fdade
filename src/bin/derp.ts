#!/usr/bin/env node
import { runtimeProblem } from '../lib/runtime-version.ts'

const problem = runtimeProblem(process.versions)
if (problem === undefined) {
  const { main } = await import('../cli/derp/derp.ts')
  process.exitCode = await main(process.argv.slice(2))
} else {
  process.stderr.write(`derp: ${problem}\n`)
  process.exitCode = 2
}
