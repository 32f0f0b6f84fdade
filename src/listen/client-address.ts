/** Who a request comes from, once the words of trusted proxies are weighed (P-125, P-126). */

import type { AddressPort } from '../lib/address-port.ts'
import { addressOf } from '../transport/node-conn.ts'
import type { CidrList } from './cidr-list.ts'
import { readForwardedFor } from './forwarded-for.ts'
import type { UpgradeHead } from './upgrade-head.ts'

/** Where a request comes from. */
export interface Origin {
  /** Undefined when the connection is gone. */
  readonly client: AddressPort | undefined
  /**
   * Whether the address may grant anything. It may not when the request was forwarded by somebody who is not trusted, or
   * by a trusted proxy that has not said for whom: the address is then that of whoever forwarded it.
   */
  readonly isCertain: boolean
}

export type OriginOf = (request: UpgradeHead) => Origin

/** Sources that PROXY headers told, by the requests that came behind them. */
const sources = new WeakMap<UpgradeHead, AddressPort>()

/** Notes that the connection of a request comes from `source`, whatever its socket says. */
export function noteSource(request: UpgradeHead, source: AddressPort | undefined): void {
  if (source !== undefined) sources.set(request, source)
}

/** Reads origins for a relay that believes `proxies`; by default nobody. */
export function originReader(proxies?: CidrList): OriginOf {
  return request => {
    const { socket, headers } = request
    const peer = sources.get(request) ?? addressOf(socket.remoteAddress, socket.remotePort)
    const forwardedFor = String(headers['x-forwarded-for'] ?? '')
    if (proxies === undefined || peer === undefined || !proxies.includes(peer.address)) {
      return { client: peer, isCertain: forwardedFor === '' }
    }
    const client = readForwardedFor(forwardedFor, proxies)
    return { client: client ?? peer, isCertain: client !== undefined }
  }
}

/** The client's address as text; IPv4 in its own form, also from dual-stack sockets. */
export function clientAddress({ client }: Origin): string | undefined {
  return client?.address.replace(/^::ffff:(?=\d+\.)/i, '')
}
