/** All scenarios, in run and report order. */

import { AIMS } from '../aims.ts'
import type { Scenario } from '../scenario.ts'
import { FLOW_SCENARIOS, OUR_FLOW_SCENARIOS } from './flow.ts'
import { LATENCY_SCENARIOS } from './latency.ts'
import { LOGIN_SCENARIOS } from './login.ts'
import { MEMORY_SCENARIOS } from './memory.ts'
import { MESH_SCENARIOS } from './mesh.ts'
import { STALL_SCENARIOS } from './stall.ts'
import { WORKER_SCENARIOS } from './workers.ts'

export const ALL_SCENARIOS: readonly Scenario[] = [
  ...FLOW_SCENARIOS,
  ...OUR_FLOW_SCENARIOS,
  ...MESH_SCENARIOS,
  ...LATENCY_SCENARIOS,
  ...STALL_SCENARIOS,
  ...LOGIN_SCENARIOS,
  ...MEMORY_SCENARIOS,
  ...WORKER_SCENARIOS,
]

/** A selection from {@link ALL_SCENARIOS}. */
export interface Choice {
  /** Parts of names; empty for all scenarios. */
  readonly only: readonly string[]
  readonly aimsOnly: boolean
  /** Whether there are relays with two workers. */
  readonly workers: boolean
}

/** The selected scenarios. @throws Error if there are none. */
export function chooseScenarios({ only, aimsOnly, workers }: Choice): readonly Scenario[] {
  const aimed = (id: string) => AIMS.some(({ scenario }) => scenario === id)
  const ids = new Set(ALL_SCENARIOS.map(({ id }) => id))
  // A full name selects only that scenario, even if others contain it.
  const matches = (id: string) => only.some(text => (ids.has(text) ? id === text : id.includes(text)))
  const chosen = ALL_SCENARIOS.filter(
    ({ id }) => (only.length > 0 ? matches(id) : !aimsOnly || aimed(id)) && (workers || !id.startsWith('workers-')),
  )
  if (chosen.length > 0) return chosen
  throw new Error(`choose scenarios: none has "${only.join('" or "')}" in its name; see --list`)
}
