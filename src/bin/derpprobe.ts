#!/usr/bin/env node
import { runtimeProblem } from '../lib/runtime-version.ts'

const problem = runtimeProblem(process.versions)
if (problem === undefined) {
  const [{ main }, { leave }] = await Promise.all([import('../cli/derpprobe/derpprobe.ts'), import('../cli/exit.ts')])
  leave(await main(process.argv.slice(2)))
} else {
  process.stderr.write(`derpprobe: ${problem}\n`)
  process.exitCode = 2
}
