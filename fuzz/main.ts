/** Fuzzes targets; see arguments.ts for its options. */

import { hasGo } from '../test/support/go-tools.ts'
import { type FuzzArguments, readFuzzArguments, USAGE } from './arguments.ts'
import type { CampaignResult } from './engine/campaign.ts'
import { encodeInput, targetNames, writeCorpus } from './engine/corpus.ts'
import { differencesOnBun } from './engine/on-bun.ts'
import { runCampaign } from './engine/run-campaign.ts'
import { addToRecord } from './record.ts'
import { runAgainstStock } from './stock/run-stock.ts'

async function main(): Promise<void> {
  const options = readFuzzArguments(process.argv.slice(2), targetNames())
  if (options.help) return print(USAGE)
  if (options.list) return print(`${targetNames().join('\n')}\n`)
  if (options.stock) await fuzzStock(options)
  const rest = [...options.targets]
  const fuzzNext = async () => {
    for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
      const result = await runCampaign(name, options.seconds, options.seed)
      print(shown(name, result, options.seed))
      const differences = await differencesOnBun(new Map([[name, result.inputs]]))
      for (const { input, onNode, onBun } of differences)
        print(`FOUND by ${name}: ${onNode} on Node, ${onBun} on Bun\n${input}\n`)
      if (result.finding !== undefined || differences.length > 0) process.exitCode = 1
      else if (options.save) writeCorpus(name, result.inputs)
      if (options.save) await addToRecord(name, result)
    }
  }
  await Promise.all(Array.from({ length: options.jobs }, fuzzNext))
}

/** Without Go there is no original to compare with. */
async function fuzzStock({ seconds, seed, save }: FuzzArguments): Promise<void> {
  if (!hasGo) return
  const { difference, ...spent } = await runAgainstStock(seconds, seed)
  print(`stock: ${spent.runs.toLocaleString('en')} runs in ${spent.seconds.toFixed(0)} s\n`)
  if (save) await addToRecord('stock', { ...spent, inputs: [], reached: 0 })
  if (difference === undefined) return
  const { input, ours, stock } = difference
  print(`FOUND by stock (seed ${seed}): ours\n${ours}\nstock\n${stock}\n${encodeInput(input)}\n`)
  process.exitCode = 1
}

function shown(name: string, result: CampaignResult, seed: number): string {
  const { runs, seconds, inputs, fresh, reached, places, finding } = result
  const pace = Math.round(runs / seconds).toLocaleString('en')
  const line = `${name}: ${runs.toLocaleString('en')} runs in ${seconds.toFixed(0)} s (${pace}/s), ${reached} of ${places} places, ${inputs.length} inputs, ${fresh} of them new\n`
  if (finding === undefined) return line
  return `${line}FOUND by ${name} (seed ${seed}): ${finding.message}\n${finding.stack}\n${encodeInput(finding.input)}\n`
}

function print(text: string): void {
  process.stdout.write(text)
}

await main().catch((error: unknown) => {
  process.stderr.write(`fuzz: ${error instanceof Error ? error.stack : error}\n`)
  process.exitCode = 2
})
