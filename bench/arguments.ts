/** Command line of the benchmark. */

import { parseArgs } from 'node:util'

export const USAGE = `usage: npm run bench -- [options]

Measures the relay of this working tree against stock derper on this machine. Needs Linux, Go and an otherwise idle
machine.

  --quick           only scenarios of the aims, 3 rounds
  --only TEXT,...   scenarios whose name contains one of these
  --rounds N        measurements of each scenario; default 5
  --seconds N       length of the measured windows; default 1 or 2, depending on the scenario
  --against REF     compare with our relay of another git ref instead of stock derper;
                    only scenarios of the aims, unless --only is given
  --node-args=TEXT  arguments for Node when running our relay, for experiments
  --out FILE        write the results to FILE as JSON
  --document        write the results to bench/results and docs/performance.md
  --list            list the scenarios and exit
`

export interface Arguments {
  readonly quick: boolean
  readonly only: readonly string[]
  readonly rounds: number
  readonly seconds: number | undefined
  readonly against: string | undefined
  readonly nodeArgs: readonly string[]
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
      quick: { type: 'boolean', default: false },
      only: { type: 'string', default: '' },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      against: { type: 'string' },
      'node-args': { type: 'string', default: '' },
      out: { type: 'string' },
      document: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  return {
    quick: values.quick,
    only: words(values.only, ','),
    rounds: wholeNumber('rounds', values.rounds ?? (values.quick ? '3' : '5')),
    seconds: values.seconds === undefined ? undefined : wholeNumber('seconds', values.seconds),
    against: values.against,
    nodeArgs: words(values['node-args'], ' '),
    out: values.out,
    document: values.document,
    list: values.list,
    help: values.help,
  }
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
