/** A hundred readers, one of them stalled: age of packets at the others. */

import type { BenchRelay } from '../contender.ts'
import { runLoad } from '../load-program.ts'
import { type Bench, type Figure, OTHERS, type Scenario, type Values } from '../scenario.ts'
import { carriageName, othersPercent } from './flow.ts'

const READERS = 100
/** Packets per second to all together; the stalled one gets more. */
const RATE = 10_000

const FIGURES: readonly Figure[] = [
  { id: 'p50', title: 'age of packets p50', unit: 'µs', better: 'less' },
  { id: 'p99', title: 'age of packets p99', unit: 'µs', better: 'less' },
  { id: 'max', title: 'age of the oldest packet', unit: 'µs', better: 'less' },
  { id: 'count', title: 'packets received', unit: '', better: 'more' },
  OTHERS,
]

export const STALL_SCENARIOS: readonly Scenario[] = (['plain', 'tls'] as const).map(carriage => ({
  id: `stall-${carriage}`,
  title: `${carriageName(carriage)}, one of 100 readers stalled`,
  carriage,
  figures: FIGURES,
  measure: measureAges,
}))

async function measureAges(relay: BenchRelay, bench: Bench): Promise<Values> {
  const flags = { clients: READERS, rate: RATE, warmup: '2s', duration: `${bench.seconds}s` }
  const result = await runLoad(bench.load, 'stall', relay, flags)
  const { p50, p99, max, count } = result.ageMicros
  return { p50, p99, max, count, others: othersPercent(result) }
}
