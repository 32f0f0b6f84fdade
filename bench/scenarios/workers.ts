/**
 * Our relay on two cores against itself on one.
 *
 * The kernel spreads connections over the workers, so by chance half of the pairs have their ends on different ones.
 */

import type { Scenario } from '../scenario.ts'
import { flowScenario } from './flow.ts'

export const WORKER_SCENARIOS: readonly Scenario[] = (['plain', 'tls'] as const).map(carriage => {
  const scenario = flowScenario({ carriage, size: 1280, pairs: 20 })
  return {
    ...scenario,
    id: `workers-${carriage}-1280-20`,
    title: `${scenario.title}, two workers`,
    contenders: ['ours', 'ours-2-workers'],
  }
})
