/** The benchmark: see arguments.ts for what it can be asked. */

import { type Arguments, readArguments, USAGE } from './arguments.ts'
import { type Contender, Identity } from './contender.ts'
import { ourRelay, stockRelays } from './contenders.ts'
import { aimsTable, figuresTable, runLines } from './report/tables.ts'
import { gatherResults, type Results } from './results.ts'
import { runRounds } from './rounds.ts'
import { ALL_SCENARIOS, chooseScenarios } from './scenarios/index.ts'
import { loadGenerator } from './tools.ts'

async function main(): Promise<void> {
  const asked = readArguments(process.argv.slice(2))
  if (asked.help) return print(USAGE)
  if (asked.list) return print(`${ALL_SCENARIOS.map(({ id, title }) => `${id.padEnd(28)} ${title}`).join('\n')}\n`)
  if (process.platform !== 'linux') throw new Error(`measure on ${process.platform}: processor time is read from /proc`)
  const results = await measure(asked)
  print(`\n${runLines(results)}\n\n${figuresTable(results)}\n\n${aimsTable(results)}\n`)
}

async function measure(asked: Arguments): Promise<Results> {
  const scenarios = chooseScenarios(asked.only, asked.quick)
  note('building what is not built yet')
  const contenders: readonly Contender[] = [ourRelay(asked.nodeArgs), ...(await stockRelays())]
  const load = [await loadGenerator()] as const
  using identity = await Identity.create()
  const bench = { load, ourLoad: load, seconds: asked.seconds, halfLoad: () => Promise.resolve(0), note }
  const measured = await runRounds({ scenarios, contenders, rounds: asked.rounds, identity, bench })
  return gatherResults(measured, contenders, asked.seconds)
}

// Progress goes to standard error: standard output has the tables.
function note(text: string): void {
  process.stderr.write(`${text}\n`)
}

function print(text: string): void {
  process.stdout.write(text)
}

await main().catch((error: unknown) => {
  note(`bench: ${error instanceof Error ? error.message : error}`)
  process.exitCode = 1
})
