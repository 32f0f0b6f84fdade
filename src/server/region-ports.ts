/**
 * What a relay and its region require from each other. A relay that is in no region has none of it.
 *
 * Clauses: P-304, P-308 to P-311, P-314, P-315, P-323.
 */

import type { NodePublicKey } from '../keys/node-key.ts'
import type { RelayCounters } from '../metrics/counters.ts'
import type { PacketKind } from '../metrics/drop-reason.ts'
import type { Destination, PacketSource, RouteTable } from './ports.ts'
import type { Member } from './registry.ts'

/** The sender of a packet whose destination has to be found first. */
export interface FinderSource extends PacketSource {
  /** The region does not have `peer`. */
  tellNotHere(peer: NodePublicKey, kind: PacketKind): void
}

/** The other relays of the region, for what happens at this one. */
export interface Region {
  /** A connection has logged in; the route table knows it. */
  clientConnected(client: Member): void
  /** A connection has ended; the route table has forgotten it. */
  clientDisconnected(client: Member): void
  /**
   * Takes a SendPacket frame whose destination has no route, to send it once the destination is found. The buffer is
   * handled as by a {@link Destination}; the packet is counted by whichever way it goes.
   *
   * @returns false if the region is known not to have the key: nothing was taken.
   */
  takeUnknown(source: FinderSource, buffer: Uint8Array, start: number, end: number, kind: PacketKind): boolean
  /** A relay has forwarded a packet whose source's key is at `keyAt`: the way back leads to that relay (P-314). */
  noteSource(relay: NodePublicKey, buffer: Uint8Array, keyAt: number): void
  /** A client is to be told when `peer` leaves, but the route table does not know it (P-315). */
  missPeer(peer: NodePublicKey): void
  /** Whether the key is that of a relay of the region. */
  isRelay(key: NodePublicKey): boolean
  /** Close all connections of `peer` on the other relays (P-323). */
  closePeer(peer: NodePublicKey): void
}

/** A relay as its region sees it. */
export interface RegionHost extends RouteTable {
  /** Tells `region` from now on, beginning with the clients that are connected already. */
  joinRegion(region: Region): void
  /** Where packets for the key at `offset` go at present. */
  destinationOf(bytes: Uint8Array, offset: number): Destination | undefined
  /** Whether a client here is to be told when the key at `offset` leaves the region. */
  isAwaited(bytes: Uint8Array, offset: number): boolean
  /** The key has left the region; nothing changes if the route table knows it. */
  keyLeft(key: NodePublicKey): void
  /** Closes all connections of `key` to this relay. */
  closePeer(key: NodePublicKey): void
  /** For packets that wait until their destination is found: how they leave. */
  readonly counters: RelayCounters
}
