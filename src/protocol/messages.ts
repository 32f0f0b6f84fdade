/**
 * What frames say, by direction, as plain values.
 *
 * Clauses: P-006, P-034, P-060, P-071, P-090, P-091, P-092, P-093, P-123.
 */

import type { NodePublicKey } from '../keys/node-key.ts'
import type { AddressPort } from '../lib/address-port.ts'

/** Why a peer is gone. */
export const PeerGoneReason = {
  /** The peer's last connection to the region ended. */
  Disconnected: 0x00,
  /** The server knows no such peer. */
  NotHere: 0x01,
  /** Made up by a watcher whose own connection broke; never on the wire. */
  MeshConnBroke: 0xf0,
  /** Another name of {@link PeerGoneReason.MeshConnBroke}. */
  Synthetic: 0xf0,
} as const
export type PeerGoneReason = (typeof PeerGoneReason)[keyof typeof PeerGoneReason]

/** Bits of PeerPresent's flags. Zero comes from servers that send none. */
export const PeerPresentFlag = {
  Regular: 0b0001,
  MeshPeer: 0b0010,
  Prober: 0b0100,
  /** The client said that this is not the first node of its region. */
  NotIdeal: 0b1000,
} as const

/** Frames a client sends. */
export type ClientToServer =
  | { readonly type: 'clientInfo'; readonly clientKey: NodePublicKey; readonly sealedInfo: Uint8Array }
  | { readonly type: 'sendPacket'; readonly destination: NodePublicKey; readonly data: Uint8Array }
  | {
      readonly type: 'forwardPacket'
      readonly source: NodePublicKey
      readonly destination: NodePublicKey
      readonly data: Uint8Array
    }
  | { readonly type: 'notePreferred'; readonly preferred: boolean }
  | { readonly type: 'watchConns' }
  | { readonly type: 'closePeer'; readonly peer: NodePublicKey }
  | PingMessage
  | PongMessage

/** A packet from a peer. */
export interface ReceivedPacketMessage {
  readonly type: 'receivedPacket'
  readonly source: NodePublicKey
  readonly data: Uint8Array
}

/** A peer is not, or no longer, there. */
export interface PeerGoneMessage {
  readonly type: 'peerGone'
  readonly peer: NodePublicKey
  /** A {@link PeerGoneReason}, or a number that newer servers may add. */
  readonly reason: number
}

/** A client of the server, told to watchers once per connection. */
export interface PeerPresentMessage {
  readonly type: 'peerPresent'
  readonly peer: NodePublicKey
  /** Where the client connected from; undefined from servers that do not say. */
  readonly address: AddressPort | undefined
  /** {@link PeerPresentFlag} bits; 0 from servers that send none. */
  readonly flags: number
  /** What the client calls its application; absent when it, or the server, does not say. */
  readonly appName?: string | undefined
}

/** Eight bytes to be sent back as a Pong. */
export interface PingMessage {
  readonly type: 'ping'
  readonly payload: Uint8Array
}

/** The eight bytes of the Ping it answers. */
export interface PongMessage {
  readonly type: 'pong'
  readonly payload: Uint8Array
}

/** Sent by the server now and then; needs no answer. */
export interface KeepAliveMessage {
  readonly type: 'keepAlive'
}

/** The server's view of this connection; an empty problem takes an earlier one back. */
export interface HealthMessage {
  readonly type: 'health'
  readonly problem: string
}

/** The server goes away for a while. */
export interface ServerRestartingMessage {
  readonly type: 'serverRestarting'
  /** Milliseconds to wait before reconnecting; smears the clients' return. */
  readonly reconnectInMs: number
  /** Milliseconds to keep trying before the loss counts as an ordinary one. */
  readonly tryForMs: number
}

/** What the server says of itself at login. */
export interface ServerInfoMessage {
  readonly type: 'serverInfo'
  /** Bytes per second, framing included, that the server will take; 0 when it does not say. */
  readonly tokenBucketBytesPerSecond: number
  /** Bytes that may come at once above that rate; 0 when it does not say. */
  readonly tokenBucketBytesBurst: number
}

/** Frames a server sends, as they are on the wire: the login ones still sealed. */
export type ServerToClient =
  | { readonly type: 'serverKey'; readonly serverKey: NodePublicKey }
  | { readonly type: 'sealedServerInfo'; readonly sealedInfo: Uint8Array }
  | Exclude<ReceivedMessage, ServerInfoMessage>

/** What a client's `recv` gives. */
export type ReceivedMessage =
  | ReceivedPacketMessage
  | PeerGoneMessage
  | PeerPresentMessage
  | PingMessage
  | PongMessage
  | KeepAliveMessage
  | HealthMessage
  | ServerRestartingMessage
  | ServerInfoMessage
