/**
 * Our relay with two workers against itself with one, on either runtime.
 *
 * The kernel balances connections over the workers, so about half of the pairs span both.
 */

import type { Scenario } from '../scenario.ts'
import { flowScenario } from './flow.ts'

export const WORKER_SCENARIOS: readonly Scenario[] = (['plain', 'tls'] as const).map(carriage => {
  const scenario = flowScenario({ carriage, size: 1280, pairs: 20 })
  return {
    ...scenario,
    id: `workers-${carriage}-1280-20`,
    title: `${scenario.title}, two workers`,
    contenders: ['ours-bun', 'ours-bun-2-workers', 'ours', 'ours-2-workers'],
  }
})
