/** The periodic frames of a session: KeepAlive, and Ping if the client answers it (P-090, P-095). */

import { encodeFrame, encodePing } from '../protocol/encode.ts'
import { FrameType } from '../protocol/frame-type.ts'
import type { ClientPings } from './client-pings.ts'
import type { SessionHost } from './hosts.ts'
import { Interval } from './interval.ts'
import type { LocalClient } from './ports.ts'

const KEEP_ALIVE: Uint8Array = encodeFrame(FrameType.KeepAlive)

/** @param pings undefined for a client that is not pinged. */
export function startIntervals<S extends LocalClient>(
  { timers, options }: Pick<SessionHost<S>, 'timers' | 'options'>,
  pings: ClientPings | undefined,
  session: { sendControl(frame: Uint8Array): void },
): readonly Interval[] {
  const { clock, keepAliveMs, keepAliveJitterMs, pingClientsMs, random } = options
  const sendKeepAlive = () => session.sendControl(KEEP_ALIVE)
  const keepAlive = new Interval(timers, keepAliveMs + random() * keepAliveJitterMs, sendKeepAlive)
  if (pings === undefined) return [keepAlive]
  const ping = () => session.sendControl(encodePing(FrameType.Ping, pings.next(clock.now())))
  return [keepAlive, new Interval(timers, pingClientsMs, ping)]
}
