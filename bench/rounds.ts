/** Runs scenarios in rounds, alternating between relays, so that changes of the machine affect all alike. */

import {
  type BenchRelay,
  type Carriage,
  type Contender,
  type ContenderId,
  type Identity,
  startMesh,
  startRelay,
} from './contender.ts'
import type { Bench, Scenario, Values } from './scenario.ts'

/** Result of one measurement. */
export interface Sample {
  readonly contender: ContenderId
  readonly values: Values
}

/** All samples of a scenario; those of one contender in round order. */
export interface Measured {
  readonly scenario: Scenario
  readonly samples: Sample[]
}

export interface RunPlan {
  readonly scenarios: readonly Scenario[]
  readonly contenders: readonly Contender[]
  readonly rounds: number
  /** Length of all measured windows, if given. */
  readonly seconds: number | undefined
  readonly identity: Identity
  readonly bench: Omit<Bench, 'seconds'>
}

const DEFAULT_SECONDS = 2

/** Measures everything in the plan. Rejects at the first failed measurement. */
export async function runRounds(plan: RunPlan): Promise<readonly Measured[]> {
  const all = plan.scenarios.map(scenario => ({ scenario, samples: [] as Sample[] }))
  for (let round = 0; round < plan.rounds; round++) {
    for (const measured of all) {
      const { scenario } = measured
      if (round >= (scenario.maxRounds ?? plan.rounds)) continue
      await measureRound(plan, measured, round)
    }
  }
  return all
}

async function measureRound(plan: RunPlan, { scenario, samples }: Measured, round: number): Promise<void> {
  const taking = plan.contenders.filter(({ id }) => scenario.contenders?.includes(id) ?? id !== 'ours-2-workers')
  // The order alternates, as one relay may affect the next.
  for (const contender of round % 2 === 0 ? taking : taking.toReversed()) {
    const values = await measureOnce(plan, scenario, contender)
    plan.bench.note(`round ${round + 1}  ${scenario.id}  ${contender.label}: ${formatValues(values)}`)
    samples.push({ contender: contender.id, values })
  }
}

async function measureOnce(plan: RunPlan, scenario: Scenario, contender: Contender): Promise<Values> {
  const bench = { ...plan.bench, seconds: plan.seconds ?? scenario.seconds ?? DEFAULT_SECONDS }
  try {
    const relay = scenario.isMesh
      ? await startMesh(contender, plan.identity)
      : await startRelay(contender, scenario.carriage, plan.identity)
    return await using(relay, () => scenario.measure(relay, bench))
  } catch (cause) {
    throw new Error(`measure ${scenario.id} of ${contender.label}: ${(cause as Error).message}`, { cause })
  }
}

/** Starts a relay for one use. */
export async function withRelay<T>(
  contender: Contender,
  carriage: Carriage,
  identity: Identity,
  use: (relay: BenchRelay) => Promise<T>,
): Promise<T> {
  const relay = await startRelay(contender, carriage, identity)
  return using(relay, () => use(relay))
}

async function using<T>(relay: BenchRelay, use: () => Promise<T>): Promise<T> {
  try {
    return await use()
  } finally {
    await relay.stop()
  }
}

function formatValues(values: Values): string {
  return Object.entries(values)
    .map(([figure, value]) => `${figure} ${value < 100 ? value.toFixed(2) : Math.round(value)}`)
    .join('  ')
}
