/** One connection attempt: dial and login within one time limit (P-202). */

import { formatRegion } from '../derpmap/regions.ts'
import type { DERPNode } from '../derpmap/types.ts'
import { abortable } from '../lib/abort.ts'
import type { Clock } from '../lib/clock.ts'
import { DerpError } from '../lib/derp-error.ts'
import { withTimeLimit } from '../lib/time-limit.ts'
import { DerpClient } from './derp-client.ts'
import { formatRelayUrl } from './dial/relay-url.ts'
import type { DerpClientOptions } from './options.ts'
import type { ClientTransport, DialedConn, DialTarget, NetworkMonitor, TlsConnectionState } from './ports.ts'

/** Parameters of an attempt. */
export interface ConnectPlan {
  readonly target: DialTarget
  readonly transport: ClientTransport
  readonly clock: Clock
  /** Milliseconds for the whole attempt. */
  readonly timeoutMs: number
  /** Cancels this attempt, in addition to its callers' signals. */
  readonly base?: AbortSignal | undefined
  readonly netMon?: NetworkMonitor | undefined
  readonly login: Omit<DerpClientOptions, 'serverKey' | 'loginTimeoutMs'>
}

/** An established connection. */
export interface OpenedConnection {
  readonly derp: DerpClient
  readonly tls: TlsConnectionState | undefined
  readonly node?: DERPNode | undefined
}

/** Connects. Rejects only with a DerpError, leaving nothing open. */
export async function openConnection(plan: ConnectPlan, signal: AbortSignal): Promise<OpenedConnection> {
  const { clock, timeoutMs, target } = plan
  const action = `connect to ${formatTarget(target)}`
  const tooLate = () => timedOut(action, timeoutMs)
  const discard = ({ derp }: OpenedConnection) => derp.close()
  try {
    return await withTimeLimit({ clock, timeoutMs, action, tooLate, signals: [signal, plan.base], discard }, stop =>
      open(plan, stop, action),
    )
  } catch (error) {
    if (error instanceof DerpError) throw error
    throw new DerpError('ERR_DERP_DIAL_FAILED', `${action}: ${error instanceof Error ? error.message : error}`, {
      cause: error,
    })
  }
}

async function open(plan: ConnectPlan, signal: AbortSignal, action: string): Promise<OpenedConnection> {
  const { conn, serverKey, tls, node } = await dial(plan, signal, action)
  const login = { ...plan.login, serverKey, loginTimeoutMs: plan.timeoutMs }
  return { derp: await DerpClient.login(conn, login, signal), tls, node }
}

async function dial(plan: ConnectPlan, signal: AbortSignal, action: string): Promise<DialedConn> {
  const { transport, target, netMon } = plan
  const dialing = transport.dial({ target, signal, netMon })
  try {
    return await abortable(dialing, signal, action)
  } catch (error) {
    // A transport slower than its signal may still deliver a connection.
    dialing.then(
      late => late.conn.destroy(),
      () => {},
    )
    throw error
  }
}

/** Name of a target in messages. */
export function formatTarget(target: DialTarget): string {
  return 'url' in target ? formatRelayUrl(target.url) : formatRegion(target.region)
}

function timedOut(action: string, timeoutMs: number): DerpError {
  return new DerpError('ERR_DERP_DIAL_TIMEOUT', `${action}: not connected after ${timeoutMs} ms`, { clause: 'P-202' })
}
