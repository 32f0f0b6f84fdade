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
/** Of the simulation, each with another seed. */
const HEAL_RUNS = 60
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

export interface RunPorts {
  readonly load: LoadCommand
  readonly identity: Identity
  readonly note: (text: string) => void
  /** Half of the length of the runs under load. */
  readonly seconds: number
}

/** What real runs gave, by figure and number of relays. */
export class RealRuns {
  readonly #numbers = new Map<string, number[]>()

  /** Runs regions of each size once under load, and so often through each failure. */
  async run(ports: RunPorts, heals: number): Promise<void> {
    for (const relays of REGION_SIZES) {
      const figures = await loadOnce(ports, relays)
      ports.note(`${relays} relays: ${JSON.stringify(figures)}`)
      for (const [id, value] of Object.entries(figures)) this.#add(id, relays, value)
      for (const failure of FAILURES) await this.#heal(ports, relays, failure, heals)
    }
  }

  /** One for each run. */
  of(id: string, relays: number): readonly number[] {
    return this.#numbers.get(`${id} ${relays}`) ?? []
  }

  async #heal({ identity, note }: RunPorts, relays: number, failure: Failure, heals: number): Promise<void> {
    const region = await BenchRegion.start(relays, identity)
    try {
      const all: number[] = []
      while (all.length < heals) all.push(await healOnce(region, identity, failure))
      note(`${relays} relays, ${failure} fails: healed after ${all.map(ms => ms.toFixed(0)).join(', ')} ms`)
      this.#add(healId(failure), relays, meanOf(all))
    } finally {
      await region.stop()
    }
  }

  #add(id: string, relays: number, value: number): void {
    const name = `${id} ${relays}`
    this.#numbers.set(name, [...(this.#numbers.get(name) ?? []), value])
  }
}

/** Healing takes one or two searches, so that the median of a few may be either. */
const meanOf = (numbers: readonly number[]) => numbers.reduce((sum, number) => sum + number, 0) / numbers.length

const healId = (failure: Failure) => `heal-${failure}`

/** Relative error of the prediction; the median of the runs counts. */
export function errorOf({ predicted, real }: Check): number {
  return predicted / spreadOf(real).median - 1
}

/** What is predicted from the costs beside the real runs. */
export function checksOf(costs: Costs, runs: RealRuns, seconds: number): readonly Check[] {
  return [
    ...REGION_SIZES.flatMap(relays => loadChecks(costs, runs, relays, seconds)),
    ...REGION_SIZES.flatMap(relays => FAILURES.map(failure => healCheck(costs, runs, relays, failure))),
  ]
}

const megabytes = (bytes: number) => bytes / 1e6
const mixed = (relays: number): Workload => ({ ...MIXED, relays, clients: MIXED.clients * relays })

/** Figures of one run under load. */
async function loadOnce(ports: RunPorts, relays: number): Promise<Readonly<Record<string, number>>> {
  const region = await BenchRegion.start(relays, ports.identity)
  try {
    const sample = await measureWorkload(ports.load, region, ports.identity.caFile, mixed(relays), 2 * ports.seconds)
    const { counts } = sample
    return {
      packets: (counts.local + counts.cross) / counts.seconds,
      cross: counts.cross / counts.seconds,
      logins: counts.logins / counts.seconds,
      relayCores: (sample.relayCores / relays) * 100,
      natsCores: sample.natsCores * 100,
      relayMemory: megabytes(sample.relayBytes),
      natsMemory: megabytes(sample.natsBytes),
      messages: sample.natsMessages,
    }
  } finally {
    await region.stop()
  }
}

function loadChecks(costs: Costs, runs: RealRuns, relays: number, seconds: number): readonly Check[] {
  const workload = mixed(relays)
  // As long as three real runs together: arrivals are random.
  const options = { seed: 1, warmupSeconds: WARMUP_SECONDS, seconds: 6 * seconds, delay: LOOPBACK_DELAY }
  const rates = new RegionRun(workload, options).run()
  const { relay, nats } = predict('region', workload, rates, costs)
  const check = (id: string, title: string, unit: string, predicted: number): Check => ({
    relays,
    id,
    title,
    unit,
    predicted,
    real: runs.of(id, relays),
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

function healCheck(costs: Costs, runs: RealRuns, relays: number, failure: Failure): Check {
  const predicted = Array.from({ length: HEAL_RUNS }, (_, at) => {
    const options = { failure, relays, start: costs.ms, natsGoneMs: NATS_GONE_MS, seed: at + 1 }
    return new HealRun({ ...options, delay: LOOPBACK_DELAY }).run()
  })
  return {
    relays,
    id: healId(failure),
    title: HEAL_TITLES[failure],
    unit: 'ms',
    predicted: meanOf(predicted),
    real: runs.of(healId(failure), relays),
  }
}
