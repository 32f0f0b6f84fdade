/** Options of the planner, from a command line. */

import { type ParseArgsOptionsConfig, parseArgs } from 'node:util'
import { checkWorkload, USUAL_WORKLOAD, type Workload } from './workload.ts'

/** How rates are obtained; by default by simulation if the region is small enough. */
export type Method = 'simulation' | 'model'

export interface PlanOptions {
  readonly workload: Workload
  readonly method: Method | undefined
  /** Finds the number of relays. */
  readonly fit: boolean
  readonly json: boolean
  readonly help: boolean
  /** Milliseconds for which NATS is gone, in the failure. */
  readonly natsGoneMs: number
}

/** A numeric option of the workload, and its description. */
interface NumberOption {
  readonly flag: string
  readonly field: keyof Workload
  readonly text: string
}

const NUMBERS: readonly NumberOption[] = [
  { flag: 'relays', field: 'relays', text: 'relays' },
  { flag: 'clients', field: 'clients', text: 'connected clients of all relays, on average' },
  { flag: 'skew', field: 'skew', text: 'shares of the clients are as 1, 1/2^N, 1/3^N…; 0: equal' },
  { flag: 'session', field: 'sessionSeconds', text: 'mean seconds for which a client stays connected' },
  { flag: 'away', field: 'awaySeconds', text: 'mean seconds until it connects again' },
  { flag: 'stay', field: 'stay', text: 'share of the clients that return to the same relay' },
  { flag: 'peers', field: 'peers', text: 'clients that a client sends to' },
  { flag: 'locality', field: 'locality', text: 'share of them at the same relay; default: by chance' },
  { flag: 'flow-every', field: 'flowEverySeconds', text: 'mean seconds between flows that a client starts' },
  { flag: 'flow-packets', field: 'flowPackets', text: 'packets of a flow' },
  { flag: 'flow-rate', field: 'flowRate', text: 'packets per second within a flow' },
  { flag: 'burst', field: 'burst', text: 'packets that arrive together' },
  { flag: 'replies', field: 'replies', text: 'share of the packets that is replied to' },
  { flag: 'packet-bytes', field: 'packetBytes', text: 'bytes of a packet' },
]

const DEFAULT_NATS_GONE_SECONDS = 10

export const USAGE = `usage: npm run simulate -- [options]

Predicts processor time, memory, messages and the time to heal of a region of relays and of a full mesh, from measured
costs. Small regions are simulated, large ones calculated.

${NUMBERS.map(lineOf).join('\n')}
  --nats-gone N     seconds for which NATS is gone, in its failure; default ${DEFAULT_NATS_GONE_SECONDS}
  --by METHOD       simulation or model
  --fit             finds the number of relays that can carry the clients
  --json            prints JSON
`

function lineOf({ flag, field, text }: NumberOption): string {
  const usual = USUAL_WORKLOAD[field]
  return `  --${`${flag} N`.padEnd(16)}${text}${usual === undefined ? '' : `; default ${usual}`}`
}

/** @throws Error that names option and value. */
export function readPlanOptions(args: readonly string[]): PlanOptions {
  const text = { type: 'string' } as const
  const flag = { type: 'boolean', default: false } as const
  const options: ParseArgsOptionsConfig = {
    ...Object.fromEntries(NUMBERS.map(({ flag: name }) => [name, text])),
    'nats-gone': text,
    by: text,
    fit: flag,
    json: flag,
    help: flag,
  }
  const { values } = parseArgs({ args: [...args], options })
  const given = NUMBERS.flatMap(({ flag: name, field }) => {
    const value = textOf(values[name])
    return value === undefined ? [] : [[field, numberOf(name, value)] as const]
  })
  const workload: Workload = { ...USUAL_WORKLOAD, ...Object.fromEntries(given) }
  checkWorkload(workload)
  const natsGone = textOf(values['nats-gone'])
  return {
    workload,
    method: methodOf(textOf(values['by'])),
    fit: values['fit'] === true,
    json: values['json'] === true,
    help: values['help'] === true,
    natsGoneMs: 1_000 * (natsGone === undefined ? DEFAULT_NATS_GONE_SECONDS : numberOf('nats-gone', natsGone)),
  }
}

/** What `parseArgs` returns for an option with a text. */
function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function numberOf(name: string, text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value) || value < 0)
    throw new Error(`read --${name}: "${text}" is no number of at least 0`)
  return value
}

function methodOf(text: string | undefined): Method | undefined {
  if (text === undefined || text === 'simulation' || text === 'model') return text
  throw new Error(`read --by: "${text}" is neither simulation nor model`)
}
