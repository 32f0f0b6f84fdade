/** Ping-pong between two clients, alone and with other traffic: round-trip times. */

import type { BenchRelay, Carriage } from '../contender.ts'
import { inBackground, LoadProgram, runLoad } from '../load-program.ts'
import { type Bench, type Figure, OTHERS, type Scenario, type Values } from '../scenario.ts'
import { carriageName, othersPercent } from './flow.ts'

const PING_BYTES = 100
/** Concurrent logins in a storm. */
const STORM_WORKERS = 32

const P50: Figure = { id: 'p50', title: 'round trip p50', unit: 'µs', better: 'less' }
const P99: Figure = { id: 'p99', title: 'round trip p99', unit: 'µs', better: 'less' }

const BESIDE: Figure = { id: 'beside', title: 'packets per second beside it', unit: '/s', better: 'more' }

const STORM_FIGURES: readonly Figure[] = [
  { id: 'idleP99', title: 'round trip p99, idle', unit: 'µs', better: 'less' },
  { id: 'stormP99', title: 'round trip p99, storm', unit: 'µs', better: 'less' },
  { id: 'factor', title: 'p99, storm / idle', unit: '', better: 'less' },
  { id: 'rate', title: 'logins per second', unit: '/s', better: 'more' },
]

/** For each transport: idle, half load, and a storm of logins. */
export const LATENCY_SCENARIOS: readonly Scenario[] = (['plain', 'tls'] as const).flatMap(carriage => [
  {
    id: `latency-idle-${carriage}`,
    title: `${carriageName(carriage)}, ping-pong, idle`,
    carriage,
    figures: [P50, P99, OTHERS],
    measure: measureIdle,
  },
  {
    id: `latency-half-${carriage}`,
    title: `${carriageName(carriage)}, ping-pong at half load`,
    carriage,
    figures: [P50, P99, BESIDE, OTHERS],
    measure: (relay: BenchRelay, bench: Bench) => measureHalfLoaded(relay, bench, carriage),
  },
  {
    id: `storm-${carriage}`,
    title: `${carriageName(carriage)}, ping-pong in a storm of logins`,
    carriage,
    figures: STORM_FIGURES,
    measure: measureStorm,
  },
])

async function measureIdle(relay: BenchRelay, bench: Bench): Promise<Values> {
  const result = await runLoad(bench.load, 'pingpong', relay, { size: PING_BYTES, duration: `${bench.seconds}s` })
  const { p50, p99 } = result.roundTripMicros
  return { p50, p99, others: othersPercent(result) }
}

async function measureHalfLoaded(relay: BenchRelay, bench: Bench, carriage: Carriage): Promise<Values> {
  const rate = await bench.halfLoad(carriage)
  const flags = { size: 1280, pairs: 20, rate, duration: 0 }
  const load = await LoadProgram.start(inBackground(bench.load), 'flow', relay, flags)
  try {
    await load.ready()
    const times = await measureIdle(relay, bench)
    const result = await load.finish()
    return { ...times, beside: result.packets / result.seconds, others: othersPercent(result) }
  } finally {
    await load.stop()
  }
}

async function measureStorm(relay: BenchRelay, bench: Bench): Promise<Values> {
  const { p99: idleP99 = 0 } = await measureIdle(relay, bench)
  const flags = { workers: STORM_WORKERS, duration: 0 }
  const storm = await LoadProgram.start(inBackground(bench.load), 'login', relay, flags)
  try {
    await storm.ready()
    const { p99: stormP99 = 0 } = await measureIdle(relay, bench)
    const { logins, seconds } = await storm.finish()
    return { idleP99, stormP99, factor: stormP99 / idleP99, rate: logins / seconds }
  } finally {
    await storm.stop()
  }
}
