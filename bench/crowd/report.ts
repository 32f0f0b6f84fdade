/** What a run has measured, as lines, and which limits it exceeds. */

import type { LoadTimes } from '../load-program.ts'
import type { Recovery, Talk } from './crew.ts'
import type { Memory } from './region-relay.ts'

/**
 * KB of heap that a relay may take for the clients of others, beside {@link ROUTE_KB} for each route in use.
 *
 * Resident memory is shown as well, but moves by megabytes with what the runtime keeps after a burst.
 */
const OTHERS_KB = 1_024
const ROUTE_KB = 1
const NATS_MB = 100
/** Within which clients reach, and are reached by, all others after their login at another relay. */
const RECOVERY_SECONDS = 5

/** Growth of one relay's memory. */
export interface RelayGrowth {
  /** While clients logged in at other relays. */
  readonly others: Memory
  /** While flows to other relays began. */
  readonly flows: Memory
  /** Routes that came with them. */
  readonly routes: number
}

export interface RegionResults {
  readonly clients: number
  readonly loginSeconds: number
  readonly relays: readonly RelayGrowth[]
  readonly talks: readonly Talk[]
  readonly natsMegabytes: number
  readonly recovery: Recovery
  /** Answers and calls that recovery should have brought. */
  readonly expected: { readonly answered: number; readonly called: number }
}

export function resultLines(results: RegionResults): string {
  const { clients, relays, loginSeconds, natsMegabytes, recovery } = results
  const growth = (read: (relay: RelayGrowth) => number) => range(relays.map(read))
  return [
    `${relays.length} relays, ${clients} clients, logged in within ${loginSeconds.toFixed(0)} s`,
    'memory of a relay, least to greatest of all, heap and resident:',
    `  for ${clients - clients / relays.length} clients of others: ${growth(r => r.others.heap)} KB, ${growth(r => r.others.resident)} KB`,
    `  for flows to them, ${growth(r => r.routes)} routes: ${growth(r => r.flows.heap)} KB, ${growth(r => r.flows.resident)} KB`,
    `  of that per route: ${growth(r => r.flows.heap / r.routes)} KB, ${growth(r => r.flows.resident / r.routes)} KB`,
    `  allowed together, of heap: ${growth(allowed)} KB`,
    `NATS at most ${natsMegabytes.toFixed(1)} MB`,
    `killed relay: its ${recovery.clients} clients log in at others after ${times(recovery.awayMicros)};`,
    `  from then, with ${recovery.calls} calls, ${recovery.answeredMicros.count} answers from each relay's client after ${times(recovery.answeredMicros)},`,
    `  and ${recovery.calledMicros.count} calls from those after ${times(recovery.calledMicros)}`,
  ].join('\n')
}

/** Each exceeded limit, in words; none if all is well. */
export function exceeded({ relays, natsMegabytes, recovery, expected }: RegionResults): readonly string[] {
  const tooLarge = relays.flatMap((relay, at) => {
    // What others' logins have freed is not for flows.
    const heap = Math.max(0, relay.others.heap) + relay.flows.heap
    const most = allowed(relay)
    if (heap <= most) return []
    return [`relay ${at} takes ${heap.toFixed(0)} KB of heap for clients of others; ${most} KB are allowed`]
  })
  const nats = natsMegabytes < NATS_MB ? [] : [`NATS takes ${natsMegabytes.toFixed(0)} MB; ${NATS_MB} MB are allowed`]
  const times = [
    ['answered', recovery.answeredMicros, expected.answered],
    ['called', recovery.calledMicros, expected.called],
  ] as const
  const late = times.flatMap(([what, { count, max }, all]) => [
    ...(count < all ? [`only ${count} of ${all} were ${what}`] : []),
    ...(max > RECOVERY_SECONDS * 1e6 ? [`the last was ${what} after ${(max / 1e6).toFixed(1)} s`] : []),
  ])
  return [...tooLarge, ...nats, ...late]
}

function allowed({ routes }: RelayGrowth): number {
  return OTHERS_KB + ROUTE_KB * routes
}

function times({ p50, p99, max }: LoadTimes): string {
  const seconds = (micros: number) => `${(micros / 1e6).toFixed(2)} s`
  return `${seconds(p50)} (median), ${seconds(p99)} (p99), ${seconds(max)} (max)`
}

function range(values: readonly number[]): string {
  const [least, most] = [Math.min(...values), Math.max(...values)]
  const text = (value: number) => (Math.abs(value) < 10 ? value.toFixed(2) : value.toFixed(0))
  return least === most ? text(least) : `${text(least)} to ${text(most)}`
}
