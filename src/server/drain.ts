/** Taking a relay out of service without all clients coming back at once (P-093). */

import type { Clock } from '../lib/clock.ts'
import { encodeServerToClient } from '../protocol/encode.ts'
import type { Session } from './session.ts'

export interface DrainOptions {
  /** Milliseconds over which connections are ended and clients are told to come back. */
  readonly spreadMs: number
  /** Milliseconds for which clients are told to keep trying before they take the loss for an ordinary one. */
  readonly tryForMs: number
}

/** What {@link drain} works on. */
export interface DrainedRelay {
  readonly sessions: ReadonlySet<Session>
  readonly clock: Clock
  readonly random: () => number
}

/**
 * Tells all clients that the relay restarts, each with its own time to come back, and ends their connections one after
 * the other, what waits for them first.
 *
 * @returns a promise that resolves when all have ended.
 */
export async function drain(relay: DrainedRelay, options: DrainOptions): Promise<void> {
  const sessions = [...relay.sessions]
  const ended = sessions.map((session, at) => {
    const reconnectInMs = Math.floor(relay.random() * options.spreadMs)
    session.sendControl(encodeServerToClient({ type: 'serverRestarting', reconnectInMs, tryForMs: options.tryForMs }))
    const delayMs = (at / sessions.length) * options.spreadMs
    return new Promise<void>(resolve => relay.clock.after(delayMs, () => session.end(resolve)))
  })
  await Promise.all(ended)
}
