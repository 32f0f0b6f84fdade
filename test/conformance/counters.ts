/** Changes of a relay's counters. */

import { setTimeout as delay } from 'node:timers/promises'
import { PATIENCE_MS } from '../support/patience.ts'
import type { ConformanceCase, Need } from './case.ts'
import { deepEqual } from './check.ts'
import type { Target } from './target.ts'

/** Compared counters: those that only clients can change. */
const WATCHED = [
  'accepts',
  'bytes_received',
  'bytes_sent',
  'counter_total_dup_client_conns',
  'gauge_clients_local',
  'gauge_clients_remote',
  'gauge_clients_total',
  'gauge_current_connections',
  'gauge_current_dup_client_conns',
  'gauge_current_dup_client_keys',
  'gauge_current_home_connections',
  'gauge_current_notideal_connections',
  'gauge_watchers',
  'got_ping',
  'home_moves_in',
  'home_moves_out',
  'multiforwarder_created',
  'multiforwarder_deleted',
  'packet_forwarder_delete_other_value',
  'packets_forwarded_in',
  'packets_forwarded_out',
  'packets_received',
  'packets_sent',
  'peer_gone_disconnected_frames',
  'peer_gone_not_here_frames',
  'sclient_write_timeouts',
  'sent_pong',
  'unknown_frames',
] as const

/** Changed counters by name; with labels as `received:disco`, `dropped:unknown_dest:other`. */
export type Deltas = Readonly<Record<string, number>>

/**
 * Runs `act` and waits until the counters have changed by exactly `expected`; all others must be unchanged.
 *
 * Connections opened by `act` stay open meanwhile.
 */
async function expectDeltas(target: Target, expected: Deltas, act: () => Promise<void>): Promise<void> {
  const before = await atRest(target)
  await act()
  const until = performance.now() + PATIENCE_MS
  for (;;) {
    const found = difference(before, await atRest(target))
    if (isEqual(found, expected) || performance.now() > until) {
      deepEqual(found, sorted(expected))
      return
    }
  }
}

/** A case: after `prepare`, `act` changes the counters by `expected`. */
export const moves = <T>(
  id: string,
  expected: Deltas,
  prepare: (target: Target) => Promise<T>,
  act: (prepared: T, target: Target) => Promise<void>,
  needs: readonly Need[] = [],
): ConformanceCase => ({
  id: `metrics/${id}`,
  clauses: ['P-192', 'P-194', ...(Object.keys(expected).some(name => name.startsWith('dropped')) ? ['P-102'] : [])],
  needs: ['debug', ...needs],
  async run(target) {
    await untilConnections(target, 0)
    const prepared = await prepare(target)
    await expectDeltas(target, expected, () => act(prepared, target))
  },
})

/** Changes when connections of `count` keys have closed. */
export function goneBy(count: number): Deltas {
  return { gauge_clients_local: -count, gauge_clients_total: -count, gauge_current_connections: -count }
}

/** Waits until the relay has `count` logged-in connections, as it notices closed ones with a delay. */
export async function untilConnections(target: Target, count: number): Promise<void> {
  const until = performance.now() + PATIENCE_MS
  let found: number | undefined
  while (performance.now() < until) {
    found = (await read(target))['gauge_current_connections']
    if (found === count) return
    await delay(10)
  }
  throw new Error(`wait for ${count} connections: the relay has ${found}`)
}

/** All counters, once two readings agree. */
async function atRest(target: Target): Promise<Deltas> {
  const until = performance.now() + PATIENCE_MS
  let last = await read(target)
  for (;;) {
    await delay(30)
    const now = await read(target)
    if (isEqual(now, last) || performance.now() > until) return now
    last = now
  }
}

async function read(target: Target): Promise<Deltas> {
  const derp = (await target.vars())['derp'] as Record<string, unknown>
  const kinds = derp['counter_packets_received_kind'] as Record<string, number>
  return {
    ...Object.fromEntries(WATCHED.map(name => [name, numberAt(derp, name)])),
    'received:disco': kinds['disco'] ?? Number.NaN,
    'received:other': kinds['other'] ?? Number.NaN,
    ...(await drops(target)),
  }
}

function numberAt(derp: Record<string, unknown>, name: string): number {
  const value = derp[name]
  if (typeof value !== 'number') throw new Error(`read metric ${name}: ${JSON.stringify(value)} is no number`)
  return value
}

/** Drops are in the Prometheus text only (P-195). */
async function drops(target: Target): Promise<Deltas> {
  const { body } = await target.http('/debug/varz')
  const found: Record<string, number> = {}
  for (const [, unit, labels = '', value] of body.matchAll(/^derp_(packets|bytes)_dropped\{(.*)\} (\d+)$/gm)) {
    const [, reason] = /reason="(\w+)"/.exec(labels) ?? []
    const [, kind] = /kind="(\w+)"/.exec(labels) ?? []
    found[`${unit === 'bytes' ? 'dropped-bytes' : 'dropped'}:${reason}:${kind}`] = Number(value)
  }
  return found
}

function difference(before: Deltas, after: Deltas): Deltas {
  const names = Object.keys({ ...before, ...after }).toSorted()
  return Object.fromEntries(
    names.map(name => [name, (after[name] ?? Number.NaN) - (before[name] ?? Number.NaN)]).filter(([, by]) => by !== 0),
  )
}

const sorted = (deltas: Deltas): Deltas =>
  Object.fromEntries(
    Object.keys(deltas)
      .toSorted()
      .map(name => [name, deltas[name] as number]),
  )

function isEqual(a: Deltas, b: Deltas): boolean {
  const names = Object.keys({ ...a, ...b })
  return names.every(name => a[name] === b[name])
}
