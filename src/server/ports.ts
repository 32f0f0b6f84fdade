/** What the relay core requires from outside. Clauses: P-036, P-040, P-051, P-062, P-065, P-070, P-073 to P-075, P-109. The region has its own: region-ports.ts. */

import type { NodePublicKey } from '../keys/node-key.ts'
import type { AddressPort } from '../lib/address-port.ts'
import type { PacketKind } from '../metrics/drop-reason.ts'
import type { ClientInfo } from '../protocol/client-info.ts'
import type { Member, PresenceChange } from './registry.ts'

/** A client requesting admission. */
export interface AdmissionRequest {
  /** The key that the client has proved to own. */
  readonly clientKey: NodePublicKey
  /** What the client says about itself. */
  readonly info: ClientInfo
  /** Where the client connects from, if known. */
  readonly remote: AddressPort | undefined
  /** The bearer token of the upgrade request, if any. */
  readonly token?: string | undefined
}

/** The response to an {@link AdmissionRequest}. */
export type AdmissionVerdict =
  /** The client may connect. */
  | { readonly admit: true }
  /** The connection is closed. */
  | {
      readonly admit: false
      /** Why, in words, for the log; the client is not told. */
      readonly reason: string
      /** A backend was unreachable: no reason to end an existing connection. */
      readonly isUnsure?: boolean
    }

/** Decides who may use the relay. Mesh peers skip it. */
export interface AdmissionGate {
  /** Called for each login that does not show the mesh key. A rejected promise denies. */
  admit(request: AdmissionRequest): Promise<AdmissionVerdict>
}

/** The sender of a packet: a client of this relay. */
export interface PacketSource {
  /** Its key. */
  readonly key: NodePublicKey
}

/** A client of this relay, on any worker. It handles buffers like a {@link Destination}. */
export interface Recipient {
  /** Takes a RecvPacket frame. */
  takeForwarded(buffer: Uint8Array, start: number, end: number, kind: PacketKind): void
  /** Takes a RecvPacket frame without a source: only the payload follows the header. */
  takeForwardedWithoutSource(buffer: Uint8Array, start: number, end: number, kind: PacketKind): void
}

/** Where packets for one key go: to a client of this relay, or over a {@link Link}. */
export interface Destination {
  /** Receives packets from links; undefined for a client of another relay, because nothing is forwarded twice. */
  readonly local: Recipient | undefined
  /** What it forwards is counted by another thread, where it leaves for the other relay. */
  readonly isCountedElsewhere?: boolean
  /**
   * Takes the SendPacket frame from `start` to `end` of `buffer`, which may be rewritten in place.
   *
   * - MUST NOT throw, whatever the state of the path.
   * - MUST bound what it queues, and copy what it queues beyond this turn of the event loop: the buffer is a whole read
   *   of a socket. What has been passed to a connection belongs to that connection.
   * - MUST count every packet that it drops, by a reason from a closed list.
   */
  takeSendPacket(source: PacketSource, buffer: Uint8Array, start: number, end: number, kind: PacketKind): void
}

/**
 * A path to clients that are not connected to this worker: on a mesh peer, on another thread, in a region.
 *
 * - MUST announce each key that it reaches to its {@link LinkRoutes}, withdraw those it no longer reaches, and withdraw
 *   all when it is down.
 * - MUST provide destinations that fulfil the duties of {@link Destination}, even for a key withdrawn since.
 * - MUST deliver incoming packets to clients of this worker, through `takeForwardPacket` if they carry a key, and MUST
 *   NOT forward them over itself or another link.
 *
 * @typeParam Address - how the link identifies its clients.
 */
export interface Link<Address = NodePublicKey> {
  /** Where packets for a client of the link go. */
  destinationFor(client: Address): Destination
}

/** One link's announcements. */
export interface LinkRoutes {
  /** Number of announced keys. */
  readonly size: number
  /**
   * The link reaches `key`. Repeating it changes nothing but `isNewest`: whether by a newer login than all connections of
   * the key here, so that packets go over the link in spite of them. A login here ends that. Default: no.
   */
  announce(key: NodePublicKey, isNewest?: boolean): void
  /** The link no longer reaches `key`. If nothing else does, clients that heard from it are told. */
  withdraw(key: NodePublicKey): void
  /** Like {@link withdraw}, but no client is told: it is not known whether the key has left the region. */
  forget(key: NodePublicKey): void
  /** The link reaches no one any more. */
  withdrawAll(): void
}

/** Knows which links reach each key, oldest first. */
export interface RouteTable {
  /** @param keepsKeys false for a link that ends each of its routes itself: it has no `size`, and no `withdrawAll`. */
  addLink(link: Link, keepsKeys?: boolean): LinkRoutes
}

/** A logged-in connection to this worker, as a {@link Directory} knows it. */
export interface LocalClient extends Member, Destination {
  readonly local: Recipient
  readonly info: ClientInfo
  /** The client presented the relay's mesh key. */
  readonly canMesh: boolean
  /** Bearer token of the upgrade request, kept for re-checking admission. */
  readonly token: string | undefined
  /** Shares its key with another connection; set by the directory. */
  isDuplicate: boolean
  /** Tells the client that a peer it heard from has left. */
  tellPeerLeft(peer: NodePublicKey): void
  /** Tells a watcher about connects and disconnects. */
  tellPresence(changes: readonly PresenceChange[]): void
  close(): void
}

/** Resolves once all workers know; undefined if they already do. */
export type Propagated = Promise<void> | undefined

/**
 * Knows all clients of the relay and makes the decisions that must be made once: which connection of a key is active, who
 * watches, who is told that a peer is gone. On one thread it answers at once; with several workers it takes a message:
 * a client must get no reply before all workers know what it has caused.
 */
export interface Directory<S extends LocalClient = LocalClient> {
  /** Logged-in connections on all workers. */
  readonly connections: number
  /**
   * Resolves once every worker routes to the session.
   *
   * Rejects with a DerpError if there is no room for it.
   */
  register(session: S): Promise<void>
  unregister(session: S): void
  /** A session that shares its key with others has sent a frame. */
  noteActivity(session: S): Propagated
  /** Tell `session` when `peer` leaves the region. */
  subscribePeerGone(session: S, peer: NodePublicKey): void
  /** Report all clients to `session`, those connected now first. */
  watch(session: S): Propagated
  /** Close all connections of `peer`. */
  closePeer(peer: NodePublicKey): Propagated
}
