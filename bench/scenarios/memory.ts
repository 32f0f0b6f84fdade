/** Idle clients: resident memory of the relay per client. */

import { setTimeout as delay } from 'node:timers/promises'
import type { BenchRelay, Carriage } from '../contender.ts'
import { LoadProgram } from '../load-program.ts'
import { residentKilobytes } from '../process-memory.ts'
import type { Bench, Figure, Scenario, Values } from '../scenario.ts'
import { carriageName } from './flow.ts'

/** Clients connected before the measurement, to exclude one-time allocations. */
const FIRST_CLIENTS = 200
/** Memory has settled when it changes by less than this share for some seconds; waits at most `MAX_SECONDS`. */
const SETTLED_SHARE = 0.005
const SETTLED_SECONDS = 5
const MAX_SECONDS = 60

const FIGURES: readonly Figure[] = [
  { id: 'rss', title: 'memory per idle connection', unit: 'KB', better: 'less' },
  { id: 'total', title: 'resident memory', unit: 'MB', better: 'less' },
  { id: 'lost', title: 'lost connections', unit: '', better: 'less' },
]

export const MEMORY_SCENARIOS: readonly Scenario[] = [
  { ...memoryScenario('plain', 4_000), maxRounds: 3 },
  memoryScenario('tls', 4_000),
  { ...memoryScenario('tls', 15_000), maxRounds: 1 },
]

function memoryScenario(carriage: Carriage, clients: number): Scenario {
  return {
    id: `memory-${carriage}-${clients}`,
    title: `${carriageName(carriage)}, ${clients.toLocaleString('en')} idle connections`,
    carriage,
    figures: FIGURES,
    measure: (relay, bench) => measureMemory(relay, bench, clients),
  }
}

async function measureMemory(relay: BenchRelay, bench: Bench, clients: number): Promise<Values> {
  const begun: LoadProgram<'idle'>[] = []
  const settledWith = async (more: number) => {
    const load = await LoadProgram.start(bench.load, 'idle', relay, { clients: more })
    begun.push(load)
    await load.ready()
    return settledKilobytes(relay.pid)
  }
  try {
    const few = await settledWith(FIRST_CLIENTS)
    const all = await settledWith(clients - FIRST_CLIENTS)
    const results = await Promise.all(begun.map(load => load.finish()))
    const lost = results.reduce((sum, result) => sum + result.lost, 0)
    return { rss: (all - few) / (clients - FIRST_CLIENTS), total: all / 1024, lost }
  } finally {
    await Promise.all(begun.map(load => load.stop()))
  }
}

/** Resident memory of a process once it has settled. */
async function settledKilobytes(pid: number): Promise<number> {
  const samples: number[] = []
  while (samples.length < MAX_SECONDS) {
    samples.push(residentKilobytes(pid))
    const recent = samples.slice(-SETTLED_SECONDS)
    const range = Math.max(...recent) - Math.min(...recent)
    if (recent.length === SETTLED_SECONDS && range < SETTLED_SHARE * Math.max(...recent)) break
    await delay(1_000)
  }
  return samples.at(-1) as number
}
