/** Runs of real relays beside what is predicted of them. */

import type { Costs } from '../../src/sim/plan/costs.ts'
import { type Failure, HealRun } from '../../src/sim/plan/heal-run.ts'
import { predict } from '../../src/sim/plan/prediction.ts'
import { totalMessages } from '../../src/sim/plan/rates.ts'
import { RegionRun } from '../../src/sim/plan/region-run.ts'
import { USUAL_WORKLOAD, type Workload } from '../../src/sim/plan/workload.ts'
import type { Identity } from '../contender.ts'
import type { LoadCommand } from '../load-program.ts'
import { spreadOf } from '../statistics.ts'
import { BenchRegion } from './bench-region.ts'
import { healOnce, NATS_GONE_MS } from './heal.ts'
import { measureWorkload } from './region-load.ts'

const REGION_SIZES = [2, 3]
const FAILURES: readonly Failure[] = ['relay', 'nats']
/** Virtual seconds before the measured ones: about as many as real clients need to log in. */
const WARMUP_SECONDS = 5
const LOOPBACK_DELAY = { minMs: 0.05, maxMs: 0.3 }

/** Different from all that costs are measured with. */
const MIXED: Workload = {
  ...USUAL_WORKLOAD,
  clients: 600,
  sessionSeconds: 20,
  awaySeconds: 1,
  stay: 0.5,
  peers: 4,
  flowEverySeconds: 6,
  flowPackets: 50,
  flowRate: 50,
  burst: 3,
  replies: 0.3,
  packetBytes: 800,
}

/** One predicted figure beside the real one. */
export interface Check {
  readonly relays: number
  readonly id: string
  readonly title: string
  readonly unit: string
  readonly predicted: number
  /** One for each run. */
  readonly real: readonly number[]
}

export interface VerifyPorts {
  readonly load: LoadCommand
  readonly identity: Identity
  readonly costs: Costs
  readonly note: (text: string) => void
  /** Half of the length of the runs under load. */
  readonly seconds: number
}

/** Relative error of the prediction; the median of the runs counts. */
export function errorOf({ predicted, real }: Check): number {
  return predicted / spreadOf(real).median - 1
}

export async function verify(ports: VerifyPorts, rounds: number, heals: number): Promise<readonly Check[]> {
  const checks: Check[] = []
  for (const relays of REGION_SIZES) checks.push(...(await verifyLoad(ports, relays, rounds)))
  for (const relays of REGION_SIZES) {
    for (const failure of FAILURES) checks.push(await verifyHeal(ports, relays, failure, heals))
  }
  return checks
}

async function verifyLoad(ports: VerifyPorts, relays: number, rounds: number): Promise<readonly Check[]> {
  const workload: Workload = { ...MIXED, relays, clients: MIXED.clients * relays }
  // As long as all real runs together: arrivals are random.
  const options = { seed: 1, warmupSeconds: WARMUP_SECONDS, seconds: 6 * ports.seconds, delay: LOOPBACK_DELAY }
  const rates = new RegionRun(workload, options).run()
  const { relay, nats } = predict('region', workload, rates, ports.costs)
  const megabytes = (bytes: number) => bytes / 1e6
  const runs: Readonly<Record<string, number>>[] = []
  for (let round = 0; round < rounds; round++) {
    const region = await BenchRegion.start(relays, ports.identity)
    try {
      const sample = await measureWorkload(ports.load, region, ports.identity.caFile, workload, 2 * ports.seconds)
      const { counts } = sample
      const figures = {
        packets: (counts.local + counts.cross) / counts.seconds,
        cross: counts.cross / counts.seconds,
        logins: counts.logins / counts.seconds,
        relayCores: (sample.relayCores / relays) * 100,
        natsCores: sample.natsCores * 100,
        relayMemory: megabytes(sample.relayBytes),
        natsMemory: megabytes(sample.natsBytes),
        messages: sample.natsMessages,
      }
      runs.push(figures)
      ports.note(`${relays} relays, run ${round + 1}: ${JSON.stringify(figures)}`)
    } finally {
      await region.stop()
    }
  }
  const check = (id: string, title: string, unit: string, predicted: number): Check => ({
    relays,
    id,
    title,
    unit,
    predicted,
    real: runs.map(figures => figures[id] as number),
  })
  return [
    check('packets', 'packets delivered', '/s', rates.localPackets + rates.crossPackets),
    check('cross', 'of them between relays', '/s', rates.crossPackets),
    check('logins', 'logins', '/s', rates.logins),
    check('messages', 'messages delivered by NATS', '/s', totalMessages(rates).delivered),
    check('relayCores', 'processor time of a relay', '% of a core', relay.cores * 100),
    check('natsCores', 'processor time of NATS', '% of a core', (nats?.cores ?? 0) * 100),
    check('relayMemory', 'memory of a relay', 'MB', megabytes(relay.memoryBytes)),
    check('natsMemory', 'memory of NATS', 'MB', megabytes(nats?.memoryBytes ?? 0)),
  ]
}

const HEAL_TITLES: Readonly<Record<Failure, string>> = {
  relay: 'from the kill of a relay, started again, until all reach its clients',
  nats: 'from the return of NATS until clients that logged in meanwhile are reached',
}

async function verifyHeal(ports: VerifyPorts, relays: number, failure: Failure, heals: number): Promise<Check> {
  const predicted = Array.from({ length: 20 }, (_, at) => {
    const options = { failure, relays, start: ports.costs.ms, natsGoneMs: NATS_GONE_MS, seed: at + 1 }
    return new HealRun({ ...options, delay: LOOPBACK_DELAY }).run()
  })
  const real: number[] = []
  const region = await BenchRegion.start(relays, ports.identity)
  try {
    while (real.length < heals) {
      const ms = await healOnce(region, ports.identity, failure)
      real.push(ms)
      ports.note(`${relays} relays, ${failure} fails, run ${real.length}: healed after ${ms.toFixed(0)} ms`)
    }
  } finally {
    await region.stop()
  }
  return {
    relays,
    id: `heal-${failure}`,
    title: HEAL_TITLES[failure],
    unit: 'ms',
    predicted: spreadOf(predicted).median,
    real,
  }
}
