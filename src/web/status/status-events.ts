/** Streams the state of the relay as server-sent events until the viewer leaves. */

import { timeOrLeave } from '../../http/debug/time-or-leave.ts'
import type { Clock } from '../../lib/clock.ts'
import { READING_MS, type StatusWatch } from './status-watch.ts'

/** Milliseconds after which a browser reconnects when the stream has ended. */
const RETRY_MS = 2_000

/** First the points so far, then a report every second. A slow reader is told less often. */
export async function* statusEvents(
  watch: StatusWatch,
  clock: Clock,
  left: AbortSignal,
): AsyncGenerator<string, void, undefined> {
  yield `retry: ${RETRY_MS}\n${event('points', watch.points)}`
  while (!left.aborted) {
    yield event('report', await watch.report())
    await timeOrLeave(clock, READING_MS, left)
  }
}

function event(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`
}
