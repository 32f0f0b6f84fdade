/** Command line of the fuzzer. */

import { parseArgs } from 'node:util'
import { wholeNumber } from '../bench/arguments.ts'

export const USAGE = `usage: npm run fuzz -- TARGET... [options]

Feeds targets with inputs that are made of known ones, keeping those that reach new code. Ends with status 1 when an
invariant is violated, and prints the input: fix the cause, and add the line to fuzz/found/TARGET.txt.

  --all         every target
  --stock       our relay beside the original, which needs Go
  --seconds N   for each target; default 60
  --total N     seconds for all targets together, instead
  --jobs N      targets at a time; default 1
  --seed N      of the random choices; default: another each time
  --save        keep inputs and times in the repository
  --list        list the targets and exit
`

export interface FuzzArguments {
  readonly targets: readonly string[]
  readonly stock: boolean
  readonly seconds: number
  readonly jobs: number
  readonly seed: number
  readonly save: boolean
  readonly list: boolean
  readonly help: boolean
}

/** @throws Error naming option and value. */
export function readFuzzArguments(args: readonly string[], known: readonly string[]): FuzzArguments {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      all: { type: 'boolean', default: false },
      stock: { type: 'boolean', default: false },
      seconds: { type: 'string', default: '60' },
      total: { type: 'string' },
      jobs: { type: 'string', default: '1' },
      seed: { type: 'string' },
      save: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  const unknown = positionals.find(name => !known.includes(name))
  if (unknown !== undefined) throw new Error(`choose target "${unknown}": there is none; see --list`)
  const targets = values.all ? known : positionals
  if (targets.length === 0 && !values.stock && !values.list && !values.help) {
    throw new Error('choose targets: name some, or give --all or --stock')
  }
  const jobs = wholeNumber('jobs', values.jobs)
  const total = values.total === undefined ? undefined : wholeNumber('total', values.total)
  const seconds =
    total === undefined ? wholeNumber('seconds', values.seconds) : (total * jobs) / Math.max(1, targets.length)
  const seed = values.seed === undefined ? crypto.getRandomValues(new Int32Array(1))[0] : Number(values.seed)
  const { stock, save, list, help } = values
  return { targets, stock, seconds, jobs, seed: seed ?? 1, save, list, help }
}
