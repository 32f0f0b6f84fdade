/**
 * A region of relays with as many clients as descriptors permit: memory for clients of others, and recovery from a
 * relay's death. Relays run on Bun, over TLS, each in its own process, beside a real NATS server; clients are stock ones.
 */

import { execFileSync } from 'node:child_process'
import { parseArgs } from 'node:util'
import { startNatsServer } from '../../test/support/nats-server.ts'
import { wholeNumber } from '../arguments.ts'
import { Identity, startRelay } from '../contender.ts'
import { ourRelay, ourRelayOnBun } from '../contenders.ts'
import { loadGenerator } from '../tools.ts'
import { measureRegion, type RunningRegion } from './measure.ts'
import { RegionRelay } from './region-relay.ts'
import { exceeded, resultLines } from './report.ts'

const USAGE = `usage: npm run region:memory -- [options]

  --relays N        default 10, at least 2
  --clients N       of all relays together; default 20000, fewer if descriptors do not permit them
  --flows N         clients of each relay that talk to one of every other; default 500
  --runtime NAME    bun (default) or node
`
/** Descriptors of a relay or a load generator that are not clients. */
const SPARE_DESCRIPTORS = 300

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      relays: { type: 'string', default: '10' },
      clients: { type: 'string', default: '20000' },
      flows: { type: 'string', default: '500' },
      runtime: { type: 'string', default: 'bun' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return print(USAGE)
  if (process.platform !== 'linux') throw new Error(`measure on ${process.platform}: memory is read from /proc`)
  const relays = wholeNumber('relays', values.relays)
  const each = Math.min(Math.floor(wholeNumber('clients', values.clients) / relays), descriptors() - SPARE_DESCRIPTORS)
  const flows = wholeNumber('flows', values.flows)
  const results = await withRegion(relays, values.runtime, region => measureRegion(region, { each, flows, note }))
  print(`${resultLines(results)}\n`)
  const complaints = exceeded(results)
  for (const complaint of complaints) note(`too much: ${complaint}`)
  if (complaints.length > 0) process.exitCode = 1
}

async function withRegion<T>(count: number, runtime: string, use: (region: RunningRegion) => Promise<T>): Promise<T> {
  using identity = await Identity.create()
  const contender = runtime === 'bun' ? ourRelayOnBun() : ourRelay([])
  const nats = await startNatsServer()
  const args = ['-region', 'bench', '-nats', nats.url, '-mesh-psk-file', identity.meshKeyFile, '-drain-time', '0s']
  const relays: RegionRelay[] = []
  try {
    const start = async () => relays.push(new RegionRelay(await startRelay(contender, 'tls', identity, { args })))
    await Promise.all(Array.from({ length: count }, start))
    await Promise.all(relays.map(relay => relay.untilKnows(count - 1)))
    const load = [await loadGenerator()] as const
    return await use({ relays, load, natsPid: nats.program.child.pid as number })
  } finally {
    await Promise.all(relays.map(({ relay }) => relay.stop('SIGKILL')))
    await nats.stop()
  }
}

function descriptors(): number {
  const text = execFileSync('/bin/sh', ['-c', 'ulimit -n'], { encoding: 'utf8' }).trim()
  return text === 'unlimited' ? Infinity : Number(text)
}

// Progress goes to standard error: standard output has the results.
function note(text: string): void {
  process.stderr.write(`${text}\n`)
}

function print(text: string): void {
  process.stdout.write(text)
}

await main().catch((error: unknown) => {
  note(`region: ${error instanceof Error ? error.message : error}`)
  process.exitCode = 1
})
