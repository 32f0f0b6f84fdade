/**
 * Our relays under everything at once: clients that come and go, floods, slow readers, crashes of workers, new certificates
 * and settings, loss of NATS. Is each packet accounted for, and do memory and delays stay within bounds?
 *
 * Needs Linux and Go.
 */

import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { type ChurnSample, growthOf } from '../../bench/growth.ts'
import { residentKilobytes } from '../../bench/process-memory.ts'
import type { RunningRelay } from '../support/relays.ts'
import { endTotals, lostBetween, unaccounted } from './end-totals.ts'
import { RelayLoad } from './relay-load.ts'

const USAGE = `usage: npm run soak -- [options]

  --minutes N     length; default 30, at least 1
  --runtime NAME  of the relays: bun (default) or node
  --delay MS      what 99 % of the longest standstills of event loops, each of 5 s, may last; default 250
`
/** At rest: often enough that growth shows, at least {@link LEAST_RESTS} times. */
const REST_AFTER_MINUTES = 2
const LEAST_RESTS = 4
/** For clients that left in the middle of something. */
const LEAVE_MS = 2_000
/** Of threads that end, allocators keep more at some times than at others. */
const RESIDENT_SLACK = 3
const LOAD = { pairs: 10, churners: 10, slow: 2 }

interface Soaked {
  readonly relay: RunningRelay
  /** What its threads held whenever it was at rest. */
  readonly held: ChurnSample[]
  /** The resident memory of its process then, of which allocators return what they like. */
  readonly resident: ChurnSample[]
}

function sample({ relay, held, resident }: Soaked, minute: number, heldBytes: number): void {
  const kilobytes = residentKilobytes(relay.program.child.pid as number)
  held.push({ minute, megabytes: heldBytes / 2 ** 20, descriptors: 0 })
  resident.push({ minute, megabytes: kilobytes / 1_024, descriptors: 0 })
}

/** The 99th percentiles of what the threads wrote. */
function standstills({ relay }: Soaked): { readonly p99: number; readonly withWaits: number } {
  const lines = [...relay.program.stderr.matchAll(/^\{"stoodStillMs":(\d+),"withWaitsMs":(\d+),/gm)]
  const percentile = (group: 1 | 2) => {
    const sorted = lines.map(line => Number(line[group])).toSorted((a, b) => a - b)
    return sorted[Math.ceil(sorted.length * 0.99) - 1] ?? Number.NaN
  }
  return { p99: percentile(1), withWaits: percentile(2) }
}

/** What no relay may log. */
const FAULT = /unhandled|uncaught|TypeError|ReferenceError|"level":"fatal"|out of memory/i
const faultsOf = (log: string) =>
  log.split('\n').filter(line => FAULT.test(line) && !line.includes('crashed by a test'))

/** Prints a line, and gives whether it is well. */
function check(isWell: boolean, text: string): boolean {
  console.log(`${isWell ? 'ok    ' : 'FAILED'} ${text}`)
  return isWell
}

/** @param slack more of noise than the heap has. */
function checkGrowth(what: string, samples: readonly ChurnSample[], slack: number): boolean {
  const { inAll, most: noise } = growthOf(samples)
  const most = noise * slack
  const values = samples.map(({ megabytes }) => megabytes.toFixed(1)).join(' ')
  return check(inAll <= most, `memory ${what}: grew by ${inAll.toFixed(1)} MB (at most ${most.toFixed(1)}): ${values}`)
}

function report(name: string, soaked: Soaked, mostDelayMs: number): boolean {
  const { relay, held, resident } = soaked
  const { p99, withWaits } = standstills(soaked)
  const totals = endTotals(relay.program.stderr)
  const missing = unaccounted(totals)
  const faults = faultsOf(relay.program.stderr)
  console.log(`${name}: ${JSON.stringify({ ...totals })}`)
  const outcomes = [
    check(missing === 0, `packets in no count: ${missing}`),
    checkGrowth('held by threads at rest', held, 1),
    checkGrowth('resident at rest', resident, RESIDENT_SLACK),
    check(
      p99 <= mostDelayMs,
      `99 % of the longest standstills: at most ${p99} ms; with waits for a processor ${withWaits} ms`,
    ),
    check(faults.length === 0, `faults in the log: ${faults.length}${faults.map(line => `\n${line}`).join('')}`),
  ]
  return !outcomes.includes(false)
}

async function main(minutes: number, mostDelayMs: number): Promise<boolean> {
  // The runtime of the relays is known by now.
  const { SoakedRelays } = await import('./soaked-relays.ts')
  const relays = await SoakedRelays.start()
  const soaked = Object.entries(relays.all).map(([name, relay]): [string, Soaked] => [
    name,
    { relay, held: [], resident: [] },
  ])
  const loads = relays.targets.map(targets => new RelayLoad(targets))
  const rests = Math.max(LEAST_RESTS, Math.round(minutes / REST_AFTER_MINUTES))
  try {
    for (let rest = 1; rest <= rests; rest++) {
      for (const load of loads) load.start(LOAD)
      relays.disturb()
      await delay((minutes * 60_000) / rests)
      await relays.calm()
      await Promise.all(loads.map(load => load.stop()))
      await delay(LEAVE_MS)
      const minute = (minutes * rest) / rests
      for (const [at, bytes] of (await relays.held()).entries()) sample(soaked[at]?.[1] as Soaked, minute, bytes)
      const memory = soaked.map(([, { held, resident }]) => [held, resident].map(each => each.at(-1)?.megabytes))
      console.log(`minute ${minute.toFixed(1)}: ${JSON.stringify(memory)} MB, ${JSON.stringify(relays.done)}`)
    }
    await relays.end()
    for (const { sent, received, logins } of loads)
      console.log(`clients: ${logins} logins, ${sent} packets sent, ${received} received`)
    console.log(`disturbances: ${JSON.stringify(relays.done)}`)
    const wells = soaked.map(([name, each]) => report(name, each, mostDelayMs))
    const [a, b] = soaked.slice(1).map(([, { relay }]) => endTotals(relay.program.stderr))
    if (a === undefined || b === undefined) throw new Error('compare relays of the region: there are not two')
    const lost = [lostBetween(a, b), lostBetween(b, a)] as const
    wells.push(
      check(lost[0] === 0 && lost[1] === 0, `packets lost between relays of the region: ${lost.join(' and ')}`),
    )
    return !wells.includes(false)
  } finally {
    await relays.remove()
  }
}

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    runtime: { type: 'string', default: 'bun' },
    delay: { type: 'string', default: '250' },
  },
})
const [minutes, mostDelayMs] = [Number(values.minutes), Number(values.delay)]
if (!(minutes >= 1) || !(mostDelayMs > 0) || !['bun', 'node'].includes(values.runtime)) {
  console.error(USAGE)
  process.exit(2)
}
process.env['DERPHTTP_RUNTIME'] = values.runtime
process.exitCode = (await main(minutes, mostDelayMs)) ? 0 : 1
