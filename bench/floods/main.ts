/** Floods relays; see arguments.ts for its options. */

import { writeFileSync } from 'node:fs'
import { Identity } from '../contender.ts'
import { ourRelay, ourRelayOnBun, stockRelay } from '../contenders.ts'
import { runLines } from '../report/tables.ts'
import { gatherResults, type Results } from '../results.ts'
import { measureRounds } from '../rounds.ts'
import { loadGenerator } from '../tools.ts'
import { type FloodArguments, readFloodArguments, USAGE } from './arguments.ts'
import { writeFloodDocument } from './document.ts'
import { figuresOf } from './flood.ts'
import { FLOODS } from './floods.ts'
import { measureFlood } from './measure.ts'
import { costTable, latencyTable } from './tables.ts'

async function main(): Promise<void> {
  const options = readFloodArguments(process.argv.slice(2))
  if (options.help) return print(USAGE)
  if (options.list) return print(`${FLOODS.map(({ id, title }) => `${id.padEnd(28)} ${title}`).join('\n')}\n`)
  if (process.platform !== 'linux') throw new Error(`measure on ${process.platform}: processor time is read from /proc`)
  const results = await run(options)
  if (options.out !== undefined) writeFileSync(options.out, `${JSON.stringify(results, undefined, 2)}\n`)
  if (options.document) writeFloodDocument(results)
  print(`\n${runLines(results)}\n\n${latencyTable(results)}\n\n${costTable(results)}\n`)
}

async function run(options: FloodArguments): Promise<Results> {
  const load = [await loadGenerator()] as const
  const all = [ourRelay(options.nodeArgs), ourRelayOnBun(), await stockRelay()]
  const contenders = all.filter(({ id }) => options.contenders.length === 0 || options.contenders.includes(id))
  const floods = FLOODS.filter(({ id }) => isChosen(id, options.only))
  if (floods.length === 0 || contenders.length === 0) throw new Error('choose floods: there are none; see --list')
  using identity = await Identity.create()
  const stop = options.nodeArgs.length === 0 ? 'SIGKILL' : 'SIGTERM'
  const bench = { load, identity, seconds: options.seconds, stop, note } as const
  const scenarios = floods.map(flood => ({ ...flood, figures: figuresOf(flood) }))
  const measured = await measureRounds<(typeof scenarios)[number]>({
    scenarios,
    contenders,
    rounds: options.rounds,
    note,
    measure: (flood, contender) => measureFlood(flood, contender, bench),
  })
  return gatherResults(measured, contenders, options.rounds)
}

/** A full name chooses only that flood, even if others contain it. */
function isChosen(id: string, only: readonly string[]): boolean {
  const isName = (text: string) => FLOODS.some(flood => flood.id === text)
  return only.length === 0 || only.some(text => (isName(text) ? id === text : id.includes(text)))
}

// Progress goes to standard error: standard output has the tables.
function note(text: string): void {
  process.stderr.write(`${text}\n`)
}

function print(text: string): void {
  process.stdout.write(text)
}

await main().catch((error: unknown) => {
  note(`flood: ${error instanceof Error ? error.message : error}`)
  process.exitCode = 1
})
