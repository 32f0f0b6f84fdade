/** Packets between pairs at full speed: CPU time per packet, packets per second. */

import { availableParallelism } from 'node:os'
import type { BenchRelay, Carriage } from '../contender.ts'
import { type LoadWindow, runLoad } from '../load-program.ts'
import { type Bench, type Figure, OTHERS, type Scenario, type Values } from '../scenario.ts'

export const CPU_PER_PACKET: Figure = {
  id: 'cpu',
  title: 'server CPU per packet',
  unit: 'µs',
  better: 'less',
}
const PACKETS: Figure = { id: 'rate', title: 'packets per second', unit: '/s', better: 'more' }
const LOST: Figure = { id: 'lost', title: 'lost packets', unit: '', better: 'less' }

export interface FlowShape {
  readonly carriage: Carriage
  readonly size: number
  readonly pairs: number
}

/** All combinations. */
export const FLOW_SCENARIOS: readonly Scenario[] = (['plain', 'tls'] as const).flatMap(carriage =>
  [64, 1280, 8192].flatMap(size => [1, 20, 200].map(pairs => flowScenario({ carriage, size, pairs }))),
)

/** The same with our client as the load. */
export const OUR_FLOW_SCENARIOS: readonly Scenario[] = (['plain', 'tls'] as const).map(carriage => {
  const shape = { carriage, size: 1280, pairs: 20 }
  return {
    ...flowScenario(shape),
    id: `our-client-${carriage}-1280-20`,
    title: `${carriageName(carriage)}, 1280 B, 20 pairs, our client as the load`,
    contenders: ['ours-bun', 'ours', 'stock', 'against-bun', 'against'],
    measure: (relay: BenchRelay, bench: Bench) => measureFlow({ ...bench, load: bench.ourLoad }, relay, shape),
  }
})

export function flowScenario(shape: FlowShape): Scenario {
  const { carriage, size, pairs } = shape
  return {
    id: `cpu-${carriage}-${size}-${pairs}`,
    title: `${carriageName(carriage)}, ${size} B, ${pairs} ${pairs === 1 ? 'pair' : 'pairs'}`,
    carriage,
    figures: [CPU_PER_PACKET, PACKETS, LOST, OTHERS],
    // Shorter, as there are many other combinations.
    seconds: pairs === 20 && size <= 1280 ? 2 : 1,
    measure: (relay, bench) => measureFlow(bench, relay, shape),
  }
}

export async function measureFlow(bench: Bench, relay: BenchRelay, { size, pairs }: FlowShape): Promise<Values> {
  const { farRelay, alsoPids = [] } = relay
  const to = farRelay && { to: farRelay.url, 'also-pids': alsoPids.join(',') }
  const flags = { size, pairs, duration: `${bench.seconds}s`, ...to }
  const result = await runLoad(bench.load, 'flow', relay, flags)
  return {
    cpu: (result.cpuSeconds / result.packets) * 1e6,
    rate: result.packets / result.seconds,
    lost: result.lost,
    others: othersPercent(result),
  }
}

export function othersPercent({ otherCpuSeconds, seconds }: LoadWindow): number {
  return (otherCpuSeconds / seconds / availableParallelism()) * 100
}

export function carriageName(carriage: Carriage): string {
  return carriage === 'tls' ? 'TLS' : 'plain'
}
