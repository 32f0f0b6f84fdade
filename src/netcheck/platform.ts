/** What netcheck needs from its platform. */

import type { DERPNode } from '../derpmap/types.ts'
import type { AddressPort, IpFamily } from '../lib/address-port.ts'
import type { Clock } from '../lib/clock.ts'

export interface NetcheckPlatform {
  readonly clock: Clock
  ipv6(): Promise<IPv6Support>
  /** Addresses of one family; rejects if there are none. */
  lookup(host: string, family: IpFamily, signal: AbortSignal): Promise<readonly string[]>
  /**
   * One socket for all STUN servers, to detect whether a NAT maps each destination to a different port.
   *
   * @param onDatagram called with each received datagram.
   */
  openUdp(family: IpFamily, onDatagram: (bytes: Uint8Array) => void): Promise<UdpSocket>
  /** Times a request to a node over TLS; rejects with the reason for a failure. */
  measureHttps(node: DERPNode, signal: AbortSignal): Promise<HttpsTimes>
  /** What responds to plain HTTP at a relay's address. */
  probePlainHttp(host: string, signal: AbortSignal): Promise<PlainHttpAnswer>
}

export interface IPv6Support {
  /** Whether IPv6 sockets can be opened at all. */
  readonly inSystem: boolean
  /** Whether this machine has an address that is neither loopback nor link-local. */
  readonly hasAddress: boolean
}

export interface UdpSocket {
  /** Rejects if the datagram cannot be sent. */
  send(bytes: Uint8Array, to: AddressPort): Promise<void>
  close(): void
}

/** Milliseconds of each part of a request over TLS. */
export interface HttpsTimes {
  /** DNS and TCP. */
  readonly connectMs: number
  readonly tlsMs: number
  /** From the request to the response: one round trip plus the relay's processing time. */
  readonly httpMs: number
}

/** `relay`: a relay responded; `other`: something else did; `none`: no response. */
export type PlainHttpAnswer = 'relay' | 'other' | 'none'
