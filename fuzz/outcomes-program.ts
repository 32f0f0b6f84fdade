/** Prints what targets make of inputs, for comparison between runtimes: JSON in by standard input, and out. */

import { createHash } from 'node:crypto'
import { text } from 'node:stream/consumers'
import { loadTarget } from './engine/corpus.ts'

const asked = JSON.parse(await text(process.stdin)) as Readonly<Record<string, readonly string[]>>
const outcomes: Record<string, string[]> = {}
for (const [name, inputs] of Object.entries(asked)) {
  const target = await loadTarget(name)
  outcomes[name] = []
  for (const input of inputs) outcomes[name].push(await outcomeOf(target.run, input))
}
process.stdout.write(JSON.stringify(outcomes))
// Servers that targets have started do not keep the program.
process.exit()

async function outcomeOf(run: (input: Uint8Array) => string | Promise<string>, input: string): Promise<string> {
  try {
    const outcome = await run(new Uint8Array(Buffer.from(input, 'base64')))
    return createHash('sha256').update(outcome).digest('base64').slice(0, 12)
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  }
}
