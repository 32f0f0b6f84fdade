/** `/debug/traffic`: which connections move bytes, told again and again until the reader leaves (P-198). */

import type { ServerResponse } from 'node:http'
import type { Clock } from '../../lib/clock.ts'
import type { ConnectionTraffic, DebugSource } from '../../status/relay-view.ts'

/** Milliseconds between two looks. */
export const TRAFFIC_INTERVAL_MS = 2_000

/** Writes one round after the other; resolves when the reader has left. */
export async function streamTraffic(
  source: Pick<DebugSource, 'traffic'>,
  clock: Clock,
  response: ServerResponse,
): Promise<void> {
  let before: ReadonlyMap<string, ConnectionTraffic> = new Map()
  for (;;) {
    const traffic = await source.traffic()
    if (response.closed) return
    const isTaken = response.write(trafficText(traffic, before))
    before = new Map(traffic.map(connection => [connection.id, connection]))
    // A reader who is slow is told less often, so that no more than one round waits for him.
    if (!isTaken) await nextEvent(response, 'drain')
    await pause(clock, response)
  }
}

/** The connections that have moved bytes since `before`, each a line of JSON with its totals, and an empty line. */
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

/** Resolves after the interval, or when the reader leaves. */
async function pause(clock: Clock, response: ServerResponse): Promise<void> {
  if (response.closed) return
  await new Promise<void>(resolve => {
    const done = () => {
      timer.cancel()
      response.off('close', done)
      resolve()
    }
    const timer = clock.after(TRAFFIC_INTERVAL_MS, done)
    response.once('close', done)
  })
}

/** Resolves at the event, or when the reader leaves. */
async function nextEvent(response: ServerResponse, event: 'drain'): Promise<void> {
  if (response.closed) return
  await new Promise<void>(resolve => {
    const done = () => {
      response.off(event, done)
      response.off('close', done)
      resolve()
    }
    response.once(event, done)
    response.once('close', done)
  })
}
