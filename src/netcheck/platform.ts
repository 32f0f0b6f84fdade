/** What netcheck needs of its platform; tests move its time by hand. */

import type { DERPNode } from '../derpmap/types.ts'
import type { AddressPort, IpFamily } from '../lib/address-port.ts'
import type { Clock } from '../lib/clock.ts'

export interface NetcheckPlatform {
  readonly clock: Clock
  ipv6(): Promise<IPv6Support>
  /** Addresses of one family; rejects if there are none. */
  lookup(host: string, family: IpFamily, signal: AbortSignal): Promise<readonly string[]>
  /**
   * One socket for all STUN servers: only so shows whether a NAT gives each destination another port.
   *
   * @param onDatagram called with each datagram that comes.
   */
  openUdp(family: IpFamily, onDatagram: (bytes: Uint8Array) => void): Promise<UdpSocket>
  /** Times a request to a node over TLS; rejects with the reason why it cannot be had. */
  measureHttps(node: DERPNode, signal: AbortSignal): Promise<HttpsTimes>
  /** What answers plain HTTP at a relay's address. */
  probePlainHttp(host: string, signal: AbortSignal): Promise<PlainHttpAnswer>
}

export interface IPv6Support {
  /** Whether sockets of IPv6 can be had at all. */
  readonly inSystem: boolean
  /** Whether this machine has an address beyond itself and its link. */
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
  /** From the request to the response: one round trip, and what the relay needs. */
  readonly httpMs: number
}

/** `relay` is the answer of a relay, `other` one that is not, `none` no answer. */
export type PlainHttpAnswer = 'relay' | 'other' | 'none'
