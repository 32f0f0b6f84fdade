/** What the relay core needs from outside, declared by its consumer. */

import type { NodePublicKey } from '../keys/node-key.ts'
import type { AddressPort } from '../lib/address-port.ts'
import type { PacketKind } from '../metrics/drop-reason.ts'
import type { ClientInfo } from '../protocol/client-info.ts'
import type { Member, PresenceChange } from './registry.ts'

/** A client asking to be let in. */
export interface AdmissionRequest {
  readonly clientKey: NodePublicKey
  readonly info: ClientInfo
  /** Where the client connects from, if known. */
  readonly remote: AddressPort | undefined
  /** The bearer token that came with the upgrade request, if any. */
  readonly token?: string | undefined
}

/** The answer to an {@link AdmissionRequest}. */
export type AdmissionVerdict =
  | { readonly admit: true }
  | {
      readonly admit: false
      readonly reason: string
      /** Nobody could be asked: no reason to end a connection that there is. */
      readonly isUnsure?: boolean
    }

/** Decides who may use the relay. Mesh peers are not asked about. */
export interface AdmissionGate {
  /** A rejected promise denies. */
  admit(request: AdmissionRequest): Promise<AdmissionVerdict>
}

/** Who sends a packet: a client of this relay. */
export interface PacketSource {
  readonly key: NodePublicKey
}

/** A client of this relay, on whatever part of it. It keeps the frames that it takes as a {@link Destination} does. */
export interface Recipient {
  /** Takes a RecvPacket frame. */
  takeForwarded(buffer: Uint8Array, start: number, end: number, kind: PacketKind): void
  /** Takes the same without a source: only the payload follows the header (P-051). */
  takeForwardedWithoutSource(buffer: Uint8Array, start: number, end: number, kind: PacketKind): void
}

/** Where packets for one key go: to a client of this relay, or by a {@link Link}. */
export interface Destination {
  /** Takes what has come by a link; undefined for a client of another relay, as nothing is forwarded twice. */
  readonly local: Recipient | undefined
  /**
   * Takes the SendPacket frame at `start` up to `end` of `buffer`, which may be rewritten in place.
   *
   * - MUST NOT throw, whatever has become of the way there.
   * - MUST bound what waits, and copy what waits longer than the turn of the event loop: the buffer is a whole read of a
   *   socket. What has been handed to a connection is that connection's.
   * - MUST count a packet that it drops, by a reason of a closed list.
   */
  takeSendPacket(source: PacketSource, buffer: Uint8Array, start: number, end: number, kind: PacketKind): void
}

/**
 * A way to clients that are not connected to this part of the relay: on a mesh peer, on another thread, in a region.
 *
 * - MUST announce each key that it reaches to a {@link RouteTable}, withdraw those it no longer reaches, and withdraw
 *   all when it is down.
 * - MUST give destinations that keep the duties of {@link Destination}, also for a key that has been withdrawn since.
 * - MUST hand what comes in to clients of this part of the relay, by `takeForwardPacket` where a key names them, and MUST
 *   NOT send it on by itself or by another link.
 *
 * @typeParam Address - how the link tells its clients apart.
 */
export interface Link<Address = NodePublicKey> {
  destinationFor(client: Address): Destination
}

/** What one link tells of the clients that it reaches. */
export interface LinkRoutes {
  /** Keys that are announced. */
  readonly size: number
  /** The link reaches `key`. Once more changes nothing. */
  announce(key: NodePublicKey): void
  /** The link no longer reaches `key`. If nobody else does, clients that heard from it are told (P-062). */
  withdraw(key: NodePublicKey): void
  /** The link reaches nobody any more. */
  withdrawAll(): void
}

/** Knows by which links each key can be reached: those that have reached it longest come first (P-075). */
export interface RouteTable {
  addLink(link: Link): LinkRoutes
}

/** A logged-in connection to this part of the relay, as a {@link Directory} knows it. */
export interface LocalClient extends Member, Destination {
  readonly local: Recipient
  readonly info: ClientInfo
  /** The client has shown the relay's mesh key (P-074). */
  readonly canMesh: boolean
  /** Bearer token of the upgrade request; kept for when admission is asked again (P-040). */
  readonly token: string | undefined
  /** Shares its key with another connection; set by the directory. */
  isDuplicate: boolean
  /** Tells the client that a peer it heard from has left (P-062). */
  tellPeerLeft(peer: NodePublicKey): void
  /** Tells a watcher who comes and goes (P-070). */
  tellPresence(changes: readonly PresenceChange[]): void
  close(): void
}

/** Resolves once all parts of the relay know; undefined when they do already. */
export type Propagated = Promise<void> | undefined

/**
 * Knows all clients of the relay and decides what must be decided once: which connection of a key is active,
 * who watches, who is told that a peer is gone. With one core it answers at once; with several it is a message away:
 * a client must not be answered before all parts know what it has caused.
 */
export interface Directory<S extends LocalClient = LocalClient> {
  /** Connections that are logged in, on all parts of the relay. */
  readonly connections: number
  /**
   * Resolves once every part of the relay routes to the session (P-036).
   *
   * Rejects with a DerpError when there is no room for it (P-109).
   */
  register(session: S): Promise<void>
  unregister(session: S): void
  /** A session that shares its key with others has sent a frame (P-065). */
  noteActivity(session: S): Propagated
  /** Tell `session` when `peer` leaves the region (P-062). */
  subscribePeerGone(session: S, peer: NodePublicKey): void
  /** Tell `session` of all clients, those here first (P-070). */
  watch(session: S): Propagated
  /** End all connections of `peer` (P-073). */
  closePeer(peer: NodePublicKey): Propagated
}
