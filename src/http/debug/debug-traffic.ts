/** `/debug/traffic`: streams the connections with traffic until the reader disconnects (P-198). */

import type { Clock } from '../../lib/clock.ts'
import type { ConnectionTraffic, DebugSource } from '../../status/relay-view.ts'
import { timeOrLeave } from './time-or-leave.ts'

/** Milliseconds between rounds. */
export const TRAFFIC_INTERVAL_MS = 2_000

export async function* trafficRounds(
  source: Pick<DebugSource, 'traffic'>,
  clock: Clock,
  left: AbortSignal,
): AsyncGenerator<string, void, undefined> {
  let before: ReadonlyMap<string, ConnectionTraffic> = new Map()
  while (!left.aborted) {
    const traffic = await source.traffic()
    // A slow reader gets fewer rounds: at most one is buffered.
    yield trafficText(traffic, before)
    before = new Map(traffic.map(connection => [connection.id, connection]))
    await timeOrLeave(clock, TRAFFIC_INTERVAL_MS, left)
  }
}

/** A line of JSON with totals for each connection with traffic since `before`, then an empty line. */
export function trafficText(
  traffic: readonly ConnectionTraffic[],
  before: ReadonlyMap<string, ConnectionTraffic>,
): string {
  let text = ''
  for (const { id, key, sent, received } of traffic) {
    const last = before.get(id)
    if (sent > (last?.sent ?? 0) || received > (last?.received ?? 0)) {
      text += `${JSON.stringify({ Sent: sent, Recv: received, Key: key })}\n`
    }
  }
  return `${text}\n`
}
