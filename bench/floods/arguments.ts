/** Command line of the flood bench. */

import { parseArgs } from 'node:util'
import { wholeNumber, words } from '../arguments.ts'

export const USAGE = `usage: npm run flood -- [options]

Floods the relay of this working tree, on Node and on Bun, and stock derper, each beside a pair of clients that sends on a
timetable. Needs Linux, Go and an otherwise idle machine.

  --only TEXT,...   floods whose name contains one of these
  --rounds N        measurements of each flood; default 3
  --seconds N       length of the measured windows; default 2
  --contender ID    only ours, ours-bun or stock; several with commas
  --node-args=TEXT  arguments for Node when running our relay, for experiments
  --out FILE        write the results to FILE as JSON
  --document        write the results to bench/results/floods.json and docs/understand/security/floods.md; of all floods only
  --list            list the floods and exit
`

export interface FloodArguments {
  readonly only: readonly string[]
  readonly rounds: number
  readonly seconds: number
  readonly contenders: readonly string[]
  readonly nodeArgs: readonly string[]
  readonly out: string | undefined
  readonly document: boolean
  readonly list: boolean
  readonly help: boolean
}

/** @throws Error naming option and value. */
export function readFloodArguments(args: readonly string[]): FloodArguments {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string', default: '' },
      rounds: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '2' },
      contender: { type: 'string', default: '' },
      'node-args': { type: 'string', default: '' },
      out: { type: 'string' },
      document: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.document && (values.only !== '' || values.contender !== '')) {
    throw new Error('set option --document: the page has all floods of all relays; leave out --only and --contender')
  }
  return {
    only: words(values.only, ','),
    rounds: wholeNumber('rounds', values.rounds),
    seconds: wholeNumber('seconds', values.seconds),
    contenders: words(values.contender, ','),
    nodeArgs: words(values['node-args'], ' '),
    out: values.out,
    document: values.document,
    list: values.list,
    help: values.help,
  }
}
