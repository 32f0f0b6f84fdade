/** Connections to the diagnosed relay and to others of its region, made as clients make them. */

import { DerpClient } from '../client/derp-client.ts'
import { formatUpgradeRequest } from '../client/dial/upgrade-request.ts'
import type { PrivateKey } from '../keys/private-key.ts'
import type { AddressPort, IpFamily } from '../lib/address-port.ts'
import { DerpError } from '../lib/derp-error.ts'
import type { Conn } from '../transport/conn.ts'
import { exchange, type HttpOutcome } from './http-exchange.ts'
import type { Platform } from './platform.ts'
import type { DiagnoseOptions, Examination } from './step.ts'
import type { RelayTarget } from './target.ts'

/** A relay and an address where it accepts connections. */
export interface Reachable {
  readonly target: RelayTarget
  readonly platform: Platform
  readonly options: DiagnoseOptions
  /** Undefined if the platform has no access to addresses. */
  readonly route: AddressPort | undefined
}

/** A verified connection to the address found by an earlier step. */
export function openRoute(examination: Examination, signal: AbortSignal): Promise<Conn> {
  return openAt(reachable(examination), signal)
}

/** The diagnosed relay. */
export function reachable({ target, platform, options, findings }: Examination): Reachable {
  return { target, platform, options, route: findings.route }
}

/** TCP, and TLS unless the URL says otherwise. */
async function openAt({ target, platform, route }: Reachable, signal: AbortSignal): Promise<Conn> {
  if (route === undefined) throw unreachable(target, 'no address accepts connections')
  const isPlain = target.endpoint.url.protocol === 'http:'
  const conn = isPlain ? platform.openTcp?.(route, signal) : platform.openTls?.(route, target.endpoint, signal)
  if (conn === undefined) throw unreachable(target, `not possible in ${platform.name}`)
  return conn
}

/** Requests the upgrade to DERP. */
export async function requestUpgrade(
  relay: Reachable,
  signal: AbortSignal,
  headers: Readonly<Record<string, string>> = {},
): Promise<HttpOutcome> {
  const { token } = relay.options
  const bearer = token === undefined ? {} : { Authorization: `Bearer ${token}` }
  const request = formatUpgradeRequest(relay.target.endpoint.url, { ...bearer, ...headers })
  return exchange(await openAt(relay, signal), request, relay.platform.clock, signal)
}

/** A connection upgraded to DERP. @throws DerpError with the response received instead. */
export async function openDerp(relay: Reachable, signal: AbortSignal): Promise<Conn> {
  const { platform, target } = relay
  if (platform.openTcp === undefined && platform.openWebSocket !== undefined) {
    return platform.openWebSocket(target.endpoint.url, signal)
  }
  const answer = await requestUpgrade(relay, signal)
  if (answer.kind === 'response' && answer.status === 101) return answer.conn
  const reason = answer.kind === 'response' ? `status ${answer.status}` : answer.kind
  throw new DerpError('ERR_DERP_UPGRADE_REFUSED', `upgrade connection to ${target.name}: ${reason}`)
}

/** A client that is logged in. @throws DerpError */
export async function openClient(relay: Reachable, privateKey: PrivateKey, signal: AbortSignal): Promise<DerpClient> {
  const { platform } = relay
  const conn = await openDerp(relay, signal)
  const login = { privateKey, agreement: platform.agreement, clock: platform.clock }
  const client = await DerpClient.login(conn, login, signal)
  try {
    while ((await client.recv(signal)).type !== 'serverInfo');
    return client
  } catch (error) {
    client.close()
    throw error
  }
}

/** Finds an address where another relay accepts connections. @throws the last error */
export async function reach(
  target: RelayTarget,
  { platform, options }: Pick<Examination, 'platform' | 'options'>,
  signal: AbortSignal,
): Promise<Reachable> {
  if (platform.openTcp === undefined) return { target, platform, options, route: undefined }
  const { host, port, addresses } = target.endpoint
  let failure: unknown = unreachable(target, 'no address')
  for (const family of [4, 6] as const satisfies readonly IpFamily[]) {
    const source = addresses[family]
    if (source.from === 'nowhere') continue
    const found =
      source.from === 'map' ? [source.address] : await platform.lookup?.(host, family, signal).catch(() => [])
    for (const address of found ?? []) {
      const route = { address, port }
      try {
        const conn = await platform.openTcp(route, signal)
        conn.destroy()
        return { target, platform, options, route }
      } catch (error) {
        if (signal.aborted) throw error
        failure = error
      }
    }
  }
  throw failure
}

function unreachable(target: RelayTarget, reason: string): DerpError {
  return new DerpError('ERR_DERP_DIAL_FAILED', `reach ${target.name}: ${reason}`)
}
