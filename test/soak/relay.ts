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
import { endTotals, lostBetween, unaccounted } from './packet-balance.ts'
import { RelayLoad } from './relay-load.ts'

const USAGE = `usage: npm run soak -- [options]

  --minutes N     length; default 30, at least 1
  --runtime NAME  of the relays: bun (default) or node
  --delay MS      what 99 % of the event loop's longest delays, each of 5 s, may last; default 250
`
const SAMPLE_MS = 5_000
const LOAD = { pairs: 10, churners: 10, slow: 2 }

interface Soaked {
  readonly relay: RunningRelay
  readonly samples: ChurnSample[]
  /** Of the event loop, milliseconds. */
  p99: number
}

function sample({ relay, samples }: Soaked, minute: number): void {
  const pid = relay.program.child.pid as number
  samples.push({ minute, megabytes: residentKilobytes(pid) / 1_024, descriptors: 0 })
}

/** The bound of the bucket that holds the 99th percentile. */
async function delayOf({ relay }: Soaked): Promise<number> {
  const [, port = String(relay.port)] = /"metrics":"[^"]*:(\d+)"/.exec(relay.program.stderr) ?? []
  const response = await fetch(`http://127.0.0.1:${port}/metrics`)
  const buckets = Array.from(
    (await response.text()).matchAll(/^derphttp_event_loop_delay_ms_bucket\{le="([^"]+)"\} (\d+)$/gm),
    ([, bound, count]) => [bound === '+Inf' ? Number.POSITIVE_INFINITY : Number(bound), Number(count)] as const,
  )
  const all = buckets.at(-1)?.[1] ?? 0
  return buckets.find(([, count]) => count >= all * 0.99)?.[0] ?? Number.NaN
}

/** What no relay may log. */
const FAULT = /unhandled|uncaught|TypeError|ReferenceError|"level":"fatal"|out of memory/i
const faultsOf = (log: string) =>
  log.split('\n').filter(line => FAULT.test(line) && !line.includes('crashed by a test'))

/** A turn of all floods: the least memory in it is what the relay needs at rest. */
const TURN_MINUTES = 2 / 3

function atRest(samples: readonly ChurnSample[]): ChurnSample[] {
  const turns = Map.groupBy(samples, ({ minute }) => Math.floor(minute / TURN_MINUTES))
  return Array.from(turns.values(), turn => turn.reduce((a, b) => (b.megabytes < a.megabytes ? b : a)))
}

/** Prints a line, and gives whether it is well. */
function check(isWell: boolean, text: string): boolean {
  console.log(`${isWell ? 'ok    ' : 'FAILED'} ${text}`)
  return isWell
}

function report(name: string, { relay, samples, p99 }: Soaked, mostDelayMs: number): boolean {
  const totals = endTotals(relay.program.stderr)
  const missing = unaccounted(totals)
  const rests = atRest(samples)
  const growth = growthOf(rests)
  const faults = faultsOf(relay.program.stderr)
  console.log(`${name}: ${JSON.stringify({ ...totals })}`)
  const outcomes = [
    check(missing === 0, `packets in no count: ${missing}`),
    check(
      growth.inAll <= growth.most,
      `memory at rest grew by ${growth.inAll.toFixed(1)} MB to ${rests.at(-1)?.megabytes.toFixed(0)} MB (at most ${growth.most.toFixed(0)})`,
    ),
    check(p99 <= mostDelayMs, `99 % of the event loop's longest delays: at most ${p99} ms`),
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
    { relay, samples: [], p99: 0 },
  ])
  const loads = relays.targets.map(targets => new RelayLoad(targets))
  try {
    for (const load of loads) load.start(LOAD)
    relays.disturb()
    const startMs = performance.now()
    const minute = () => (performance.now() - startMs) / 60_000
    while (minute() < minutes) {
      await delay(SAMPLE_MS)
      for (const [, each] of soaked) sample(each, minute())
      const memory = soaked.map(([, { samples }]) => samples.at(-1)?.megabytes.toFixed(0))
      if (soaked[0] && soaked[0][1].samples.length % 12 === 0)
        console.log(`minute ${minute().toFixed(0)}: ${memory.join(', ')} MB, ${JSON.stringify(relays.done)}`)
    }
    await relays.calm()
    await Promise.all(loads.map(load => load.stop()))
    for (const [, each] of soaked) each.p99 = await delayOf(each)
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
