/** Runs scenarios in rounds, alternating between relays, so that changes of the machine affect all alike. */

import {
  type BenchRelay,
  type Carriage,
  type Contender,
  type ContenderId,
  hasTwoWorkers,
  type Identity,
  startRelay,
} from './contender.ts'
import type { Bench, Scenario, Values } from './scenario.ts'
import { startTwoRelays } from './two-relays.ts'

/** What rounds and results need to know of a scenario. */
export type Round = Pick<Scenario, 'id' | 'title' | 'figures' | 'contenders' | 'maxRounds'>

/** Result of one measurement. */
export interface Sample {
  readonly contender: ContenderId
  readonly values: Values
}

/** All samples of a scenario; those of one contender in round order. */
export interface Measured {
  readonly scenario: Round
  readonly samples: Sample[]
}

export interface RoundPlan<S extends Round> {
  readonly scenarios: readonly S[]
  readonly contenders: readonly Contender[]
  readonly rounds: number
  readonly note: (text: string) => void
  measure(scenario: S, contender: Contender): Promise<Values>
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
/** Attempts at a measurement: another program may take the port that was free, or the machine stall. */
const ATTEMPTS = 3

/** Measures everything in the plan. Rejects if a measurement fails several times. */
export function runRounds(plan: RunPlan): Promise<readonly Measured[]> {
  const measure = (scenario: Scenario, contender: Contender) => measurePatiently(plan, scenario, contender)
  return measureRounds({ ...plan, note: plan.bench.note, measure })
}

/** Measures scenarios of any kind. */
export async function measureRounds<S extends Round>(plan: RoundPlan<S>): Promise<readonly Measured[]> {
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

async function measureRound<S extends Round>(
  plan: RoundPlan<S>,
  { scenario, samples }: { readonly scenario: S; readonly samples: Sample[] },
  round: number,
): Promise<void> {
  const taking = plan.contenders.filter(({ id }) => scenario.contenders?.includes(id) ?? !hasTwoWorkers(id))
  // The order alternates, as one relay may affect the next.
  for (const contender of round % 2 === 0 ? taking : taking.toReversed()) {
    const values = await plan.measure(scenario, contender).catch((cause: unknown) => {
      const reason = `measure ${scenario.id} of ${contender.label}: ${(cause as Error).message}`
      throw new Error(reason, { cause })
    })
    plan.note(`round ${round + 1}  ${scenario.id}  ${contender.label}: ${formatValues(values)}`)
    samples.push({ contender: contender.id, values })
  }
}

async function measurePatiently(plan: RunPlan, scenario: Scenario, contender: Contender): Promise<Values> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await measureOnce(plan, scenario, contender)
    } catch (error) {
      if (attempt === ATTEMPTS) throw error
      plan.bench.note(`${scenario.id} of ${contender.label}, again: ${(error as Error).message.trim()}`)
    }
  }
}

async function measureOnce(plan: RunPlan, scenario: Scenario, contender: Contender): Promise<Values> {
  const bench = { ...plan.bench, seconds: plan.seconds ?? scenario.seconds ?? DEFAULT_SECONDS }
  const { carriage, joining } = scenario
  const relay =
    joining === undefined
      ? await startRelay(contender, carriage, plan.identity)
      : await startTwoRelays(joining, contender, plan.identity)
  return await using(relay, () => scenario.measure(relay, bench))
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
