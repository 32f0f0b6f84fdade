/** The benchmark; see arguments.ts for its options. */

import { writeFileSync } from 'node:fs'
import { readArguments, USAGE } from './arguments.ts'
import { writeDocument } from './report/document.ts'
import { regressions } from './report/regressions.ts'
import { aimsTable, figuresTable, runLines } from './report/tables.ts'
import type { Results } from './results.ts'
import { runBenchmark } from './run.ts'
import { ALL_SCENARIOS } from './scenarios/index.ts'

async function main(): Promise<void> {
  const options = readArguments(process.argv.slice(2))
  if (options.help) return print(USAGE)
  if (options.list) return print(`${ALL_SCENARIOS.map(({ id, title }) => `${id.padEnd(28)} ${title}`).join('\n')}\n`)
  if (process.platform !== 'linux') throw new Error(`measure on ${process.platform}: processor time is read from /proc`)
  const results = await runBenchmark(options, note)
  if (options.out !== undefined) writeFileSync(options.out, `${JSON.stringify(results, undefined, 2)}\n`)
  if (options.document) writeDocument(results)
  print(`\n${runLines(results)}\n\n${figuresTable(results)}\n`)
  print(options.against === undefined ? `\n${aimsTable(results)}\n` : regressionLines(results))
}

function regressionLines(results: Results): string {
  const lines = regressions(results)
  return `\n${lines.length === 0 ? 'no regression in every round' : lines.join('\n')}\n`
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
