/** Clients that log in and leave: CPU time per login. */

import type { BenchRelay } from '../contender.ts'
import { runLoad } from '../load-program.ts'
import { type Bench, type Figure, OTHERS, type Scenario, type Values } from '../scenario.ts'
import { carriageName, othersPercent } from './flow.ts'

const FIGURES: readonly Figure[] = [
  { id: 'cpu', title: 'server CPU per login', unit: 'µs', better: 'less' },
  { id: 'rate', title: 'logins per second', unit: '/s', better: 'more' },
  { id: 'failed', title: 'failed logins', unit: '', better: 'less' },
  OTHERS,
]

export const LOGIN_SCENARIOS: readonly Scenario[] = (['plain', 'tls'] as const).map(carriage => ({
  id: `login-${carriage}`,
  title: `${carriageName(carriage)}, logins`,
  carriage,
  figures: FIGURES,
  measure: measureLogins,
}))

async function measureLogins(relay: BenchRelay, bench: Bench): Promise<Values> {
  const result = await runLoad(bench.load, 'login', relay, { duration: `${bench.seconds}s` })
  return {
    cpu: (result.cpuSeconds / result.logins) * 1e6,
    rate: result.logins / result.seconds,
    failed: result.failed,
    others: othersPercent(result),
  }
}
