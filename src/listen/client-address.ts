/** The client address of a request, taking trusted proxies into account (P-125, P-126). */

import type { AddressPort } from '../lib/address-port.ts'
import { addressOf } from '../transport/node-conn.ts'
import type { CidrList } from './cidr-list.ts'
import { readForwardedFor } from './forwarded-for.ts'
import type { UpgradeHead } from './upgrade-head.ts'

/** Where a request comes from. */
export interface Origin {
  /** Undefined if the connection is gone. */
  readonly client: AddressPort | undefined
  /**
   * Whether the address may grant access. It must not if an untrusted party forwarded the request, or if a trusted proxy
   * did not name the client: the address is then that of the forwarder.
   */
  readonly isCertain: boolean
}

export type OriginOf = (request: UpgradeHead) => Origin

/** Sources from PROXY headers, by the requests that followed them. */
const sources = new WeakMap<UpgradeHead, AddressPort>()

/** Records that a request's connection comes from `source`, whatever its socket says. */
export function noteSource(request: UpgradeHead, source: AddressPort | undefined): void {
  if (source !== undefined) sources.set(request, source)
}

/** Reads origins, trusting `proxies`; by default none. */
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
