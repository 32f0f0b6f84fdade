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

/** Decides who may use the relay. Siblings with the mesh key are not asked about. */
export interface AdmissionGate {
  /** A rejected promise denies. */
  admit(request: AdmissionRequest): Promise<AdmissionVerdict>
}

/** Passes packets on to a sibling relay where their destination is connected (P-072). */
export interface PacketForwarder {
  /** `payload` is valid until the call returns. */
  forwardPacket(source: NodePublicKey, destination: NodePublicKey, payload: Uint8Array): void
}

/** A client of this relay, on whatever part of it. It keeps the frames that it takes as a {@link Destination} does. */
export interface Recipient {
  /** Takes a RecvPacket frame. */
  takeForwarded(buffer: Uint8Array, start: number, end: number, kind: PacketKind): void
  /** Takes the same without a source: only the payload follows the header (P-051). */
  takeForwardedWithoutSource(buffer: Uint8Array, start: number, end: number, kind: PacketKind): void
}

/** Who sends a packet: a client of this relay. */
export interface PacketSource {
  readonly key: NodePublicKey
}

/** Where packets for one key go. */
export interface Destination {
  /** Takes what siblings have passed on; undefined for a client of a sibling, as nothing is forwarded twice. */
  readonly local: Recipient | undefined
  /**
   * Takes the SendPacket frame at `start` up to `end` of `buffer`, which may be rewritten in place and kept
   * until it has been written.
   */
  takeSendPacket(source: PacketSource, buffer: Uint8Array, start: number, end: number, kind: PacketKind): void
}

/** A logged-in connection to this part of the relay, as a {@link Directory} knows it. */
export interface LocalClient extends Member, Destination {
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
export interface Directory {
  /** Connections that are logged in, on all parts of the relay. */
  readonly connections: number
  /**
   * Resolves once every part of the relay routes to the session (P-036).
   *
   * Rejects with a DerpError when there is no room for it (P-109).
   */
  register(session: LocalClient): Promise<void>
  unregister(session: LocalClient): void
  /** A session that shares its key with others has sent a frame (P-065). */
  noteActivity(session: LocalClient): Propagated
  /** Tell `session` when `peer` leaves the region (P-062). */
  subscribePeerGone(session: LocalClient, peer: NodePublicKey): void
  /** Tell `session` of all clients, those here first (P-070). */
  watch(session: LocalClient): Propagated
  /** End all connections of `peer` (P-073). */
  closePeer(peer: NodePublicKey): Propagated
}
