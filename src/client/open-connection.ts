/** One attempt to connect: dial, log in, within one time limit (P-202). */

import type { Clock } from '../lib/clock.ts'
import { DerpError } from '../lib/derp-error.ts'
import { abortable, abortedError } from './abort.ts'
import { DerpClient } from './derp-client.ts'
import type { DerpClientOptions } from './options.ts'
import type { ClientTransport, DialedConn, TlsConnectionState } from './ports.ts'
import { formatRelayUrl } from './relay-url.ts'

/** What an attempt is made of. */
export interface ConnectPlan {
  readonly url: URL
  readonly transport: ClientTransport
  readonly clock: Clock
  /** Milliseconds for everything together. */
  readonly timeoutMs: number
  readonly login: Omit<DerpClientOptions, 'serverKey' | 'loginTimeoutMs'>
}

/** A connection that runs. */
export interface OpenedConnection {
  readonly derp: DerpClient
  readonly tls: TlsConnectionState | undefined
}

/** Connects. Rejects with a DerpError only, and leaves nothing open then. */
export async function openConnection(plan: ConnectPlan, signal: AbortSignal): Promise<OpenedConnection> {
  const action = `connect to ${formatRelayUrl(plan.url)}`
  const deadline = new AbortController()
  const timer = plan.clock.after(plan.timeoutMs, () => deadline.abort(timedOut(action, plan.timeoutMs)))
  const either = AbortSignal.any([signal, deadline.signal])
  try {
    const { conn, serverKey, tls } = await dial(plan, either, action)
    const login = { ...plan.login, serverKey, loginTimeoutMs: plan.timeoutMs }
    return { derp: await DerpClient.login(conn, login, either), tls }
  } catch (error) {
    if (either.aborted) throw abortedError(action, either)
    if (error instanceof DerpError) throw error
    throw new DerpError('ERR_DERP_DIAL_FAILED', `${action}: ${reasonOf(error)}`, { cause: error })
  } finally {
    timer.cancel()
  }
}

async function dial({ transport, url }: ConnectPlan, signal: AbortSignal, action: string): Promise<DialedConn> {
  const dialing = transport.dial({ url, signal })
  try {
    return await abortable(dialing, signal, action)
  } catch (error) {
    // A transport that was slower than its signal may still come with a connection.
    dialing.then(
      late => late.conn.destroy(),
      () => {},
    )
    throw error
  }
}

/** What went wrong, in a few words; racing several addresses gives errors that hold others and say nothing. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0])
  return error instanceof Error ? error.message : String(error)
}

function timedOut(action: string, timeoutMs: number): DerpError {
  return new DerpError('ERR_DERP_DIAL_TIMEOUT', `${action}: not connected after ${timeoutMs} ms`, { clause: 'P-202' })
}
