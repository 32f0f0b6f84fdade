/** Pings and their Pongs on one connection (P-204, P-207). */

import { abortable } from '../lib/abort.ts'
import type { Clock } from '../lib/clock.ts'
import { DerpError } from '../lib/derp-error.ts'
import type { ReceivedMessage } from '../protocol/messages.ts'
import type { Link } from './link-keeper.ts'

/** Most milliseconds that a Pong is waited for. */
const PING_TIMEOUT_MS = 5_000

/** The next message; Pongs that a Ping waits for are not among them (P-204). */
export async function receiveOver({ derp, pings }: Link, signal?: AbortSignal): Promise<ReceivedMessage> {
  for (;;) {
    const message = await derp.recv(signal)
    if (message.type !== 'pong' || !pings.take(message.payload)) return message
  }
}

/** Sends a Ping and waits until whoever receives on `link` has seen its Pong. */
export async function pingOver(
  { derp, pings }: Link,
  clock: Clock,
  signal: AbortSignal | undefined,
  timeoutMs: number = PING_TIMEOUT_MS,
): Promise<void> {
  const ping = pings.add()
  const timeout = new AbortController()
  const timer = clock.after(timeoutMs, () => timeout.abort(timedOut(timeoutMs)))
  try {
    const either = signal === undefined ? timeout.signal : AbortSignal.any([signal, timeout.signal])
    const roundTrip = derp.sendPing(ping.payload).then(() => ping.answered)
    await abortable(roundTrip, either, 'ping relay')
  } finally {
    timer.cancel()
    pings.remove(ping)
  }
}

function timedOut(timeoutMs: number): DerpError {
  return new DerpError('ERR_DERP_PING_TIMEOUT', `ping relay: no answer in ${timeoutMs} ms`, { clause: 'P-207' })
}
