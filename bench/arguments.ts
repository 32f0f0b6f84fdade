/** Command line of the benchmark. */

import { parseArgs } from 'node:util'
import { CONTENDER_IDS, type ContenderId } from './contender.ts'

export const USAGE = `usage: npm run bench -- [options]

Measures the relay of this working tree, on Bun and on Node, against the original, its newest and its reference release, on
this machine. Needs Linux, Go and an otherwise idle machine.

  --aims            only scenarios of the aims
  --quick           the same, 3 rounds
  --only TEXT,...   scenarios whose name contains one of these
  --rounds N        measurements of each scenario; default 5
  --seconds N       length of the measured windows; default 1 or 2, depending on the scenario
  --against REF     compare with our relay of another git ref instead of the original;
                    only scenarios of the aims, unless --only is given
  --contenders ID,...
                    only these relays: ${CONTENDER_IDS.slice(0, 4).join(', ')},
                    ${CONTENDER_IDS.slice(4).join(', ')}
  --node-args=TEXT  arguments for Node when running our relay, for experiments
  --bun-args=TEXT   the same for Bun
  --out FILE        write the results to FILE as JSON
  --document        write the results to bench/results and docs/understand/performance.md
  --list            list the scenarios and exit
`

export interface Arguments {
  readonly aimsOnly: boolean
  readonly only: readonly string[]
  readonly rounds: number
  readonly seconds: number | undefined
  readonly against: string | undefined
  /** Empty for all. */
  readonly contenders: readonly ContenderId[]
  readonly nodeArgs: readonly string[]
  readonly bunArgs: readonly string[]
  readonly out: string | undefined
  readonly document: boolean
  readonly list: boolean
  readonly help: boolean
}

/** @throws Error naming option and value. */
export function readArguments(args: readonly string[]): Arguments {
  const { values } = parseArgs({
    args: [...args],
    options: {
      aims: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      only: { type: 'string', default: '' },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      against: { type: 'string' },
      contenders: { type: 'string', default: '' },
      'node-args': { type: 'string', default: '' },
      'bun-args': { type: 'string', default: '' },
      out: { type: 'string' },
      document: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  return {
    aimsOnly: values.aims || values.quick || values.against !== undefined,
    only: words(values.only, ','),
    rounds: wholeNumber('rounds', values.rounds ?? (values.quick ? '3' : '5')),
    seconds: values.seconds === undefined ? undefined : wholeNumber('seconds', values.seconds),
    against: values.against,
    contenders: words(values.contenders, ',').map(contenderId),
    nodeArgs: words(values['node-args'], ' '),
    bunArgs: words(values['bun-args'], ' '),
    out: values.out,
    document: values.document,
    list: values.list,
    help: values.help,
  }
}

function contenderId(text: string): ContenderId {
  const id = CONTENDER_IDS.find(known => known === text)
  if (id === undefined) throw new Error(`set option --contenders: "${text}" is none of ${CONTENDER_IDS.join(', ')}`)
  return id
}

export function words(text: string, separator: string): readonly string[] {
  return text.split(separator).filter(word => word !== '')
}

/** @throws Error for anything but a whole number above 0. */
export function wholeNumber(option: string, text: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && value >= 1) return value
  throw new Error(`set option --${option} to "${text}": not a whole number above 0`)
}
