/** A Ping and its Pong on one connection (P-207). */

import type { Clock } from '../lib/clock.ts'
import { DerpError } from '../lib/derp-error.ts'
import { withTimeLimit } from '../lib/time-limit.ts'
import type { Link } from './link-keeper.ts'

/** Maximum milliseconds to wait for a Pong. */
const PING_TIMEOUT_MS = 5_000

/** Sends a Ping and waits for its Pong, which the receiver on `link` reports. */
export async function pingOver(
  { derp, pings }: Link,
  clock: Clock,
  signal: AbortSignal | undefined,
  timeoutMs: number = PING_TIMEOUT_MS,
): Promise<void> {
  const ping = pings.add()
  const limit = { clock, timeoutMs, action: 'ping relay', tooLate: () => timedOut(timeoutMs), signals: [signal] }
  try {
    await withTimeLimit(limit, async () => {
      await derp.sendPing(ping.payload)
      await ping.answered
    })
  } finally {
    pings.remove(ping)
  }
}

function timedOut(timeoutMs: number): DerpError {
  return new DerpError('ERR_DERP_PING_TIMEOUT', `ping relay: no pong in ${timeoutMs} ms`, { clause: 'P-207' })
}
