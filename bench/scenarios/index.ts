/** All scenarios, in the order in which they are run and reported. */

import { AIMS } from '../aims.ts'
import type { Scenario } from '../scenario.ts'
import { FLOW_SCENARIOS } from './flow.ts'

export const ALL_SCENARIOS: readonly Scenario[] = [...FLOW_SCENARIOS]

/** Scenarios that were asked for. @throws Error when there are none. */
export function chooseScenarios(only: readonly string[], quick: boolean): readonly Scenario[] {
  const aimed = (id: string) => AIMS.some(({ scenario }) => scenario === id)
  const ids = new Set(ALL_SCENARIOS.map(({ id }) => id))
  // A whole name is that scenario alone, though others may begin with it.
  const asked = (id: string) => only.some(text => (ids.has(text) ? id === text : id.includes(text)))
  const chosen = ALL_SCENARIOS.filter(({ id }) => (!quick || aimed(id)) && (only.length === 0 || asked(id)))
  if (chosen.length > 0) return chosen
  throw new Error(`choose scenarios: none has "${only.join('" or "')}" in its name; --list names them`)
}
