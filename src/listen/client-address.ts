/** The client address of a request, taking trusted proxies into account (P-125, P-126). */

import type { AddressPort } from '../lib/address-port.ts'
import type { CidrList } from './cidr-list.ts'
import { readForwardedFor } from './forwarded-for.ts'
import type { HttpRequest } from './http-service.ts'

/** Where a request comes from. */
export interface Origin {
  /** Undefined if the connection is gone. */
  readonly client: AddressPort | undefined
  /**
   * Whether the address may grant access. It must not if an untrusted party forwarded the request, or if a trusted proxy
   * did not name the client: the address is then that of the forwarder.
   */
  readonly isCertain: boolean
  /** The connection is one of a trusted proxy. */
  readonly isProxied: boolean
}

export type OriginOf = (request: Pick<HttpRequest, 'remote' | 'headers'>) => Origin

/** Reads origins, trusting `proxies`; by default none. */
export function originReader(proxies?: CidrList): OriginOf {
  return ({ remote, headers }) => {
    const forwardedFor = headers['x-forwarded-for']?.join(',') ?? ''
    if (proxies === undefined || remote === undefined || !proxies.includes(remote.address)) {
      return { client: remote, isCertain: forwardedFor === '', isProxied: false }
    }
    const client = readForwardedFor(forwardedFor, proxies)
    return { client: client ?? remote, isCertain: client !== undefined, isProxied: true }
  }
}

/** The client's address as text; IPv4 in its own form, also from dual-stack sockets. */
export function clientAddress({ client }: Pick<Origin, 'client'>): string | undefined {
  return client?.address.replace(/^::ffff:(?=\d+\.)/i, '')
}
