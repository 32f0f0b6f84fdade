/** One Ping and its Pong (P-207). */

import type { Clock } from '../lib/clock.ts'
import { DerpError } from '../lib/derp-error.ts'
import { abortable } from './abort.ts'
import type { Link } from './link-keeper.ts'

/** Most milliseconds that a Pong is waited for. */
const PING_TIMEOUT_MS = 5_000

/** Sends a Ping and waits until whoever receives on `link` has seen its Pong. */
export async function pingOver({ derp, pings }: Link, clock: Clock, signal: AbortSignal | undefined): Promise<void> {
  const ping = pings.add()
  const timeout = new AbortController()
  const timer = clock.after(PING_TIMEOUT_MS, () => timeout.abort(timedOut()))
  try {
    const either = signal === undefined ? timeout.signal : AbortSignal.any([signal, timeout.signal])
    const roundTrip = derp.sendPing(ping.payload).then(() => ping.answered)
    await abortable(roundTrip, either, 'ping relay')
  } finally {
    timer.cancel()
    pings.remove(ping)
  }
}

function timedOut(): DerpError {
  return new DerpError('ERR_DERP_PING_TIMEOUT', `ping relay: no answer in ${PING_TIMEOUT_MS} ms`, { clause: 'P-207' })
}
