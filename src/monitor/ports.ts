/** What the probes of relays require from their platform. */

import type { PeerCertificate, TlsConnectionState } from '../client/ports.ts'
import type { DERPMap, DERPNode } from '../derpmap/types.ts'
import type { NodePublicKey } from '../keys/public-key.ts'
import type { Clock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import type { ReceivedMessage } from '../protocol/messages.ts'

/** A client of one relay, logged in. */
export interface ProbeClient {
  selfPublicKey(): NodePublicKey
  send(destination: NodePublicKey, data: Uint8Array, signal?: AbortSignal): Promise<void>
  recv(signal?: AbortSignal): Promise<ReceivedMessage>
  close(): Promise<void>
}

/** The two ends of a path through relays; with fixed keys, each has its own. */
export type PathEnd = 'sender' | 'receiver'

export interface ConnectRequest {
  readonly node: DERPNode
  readonly end: PathEnd
  /** Whether the relay is told that this is a prober, which makes it log every packet. */
  readonly isProber: boolean
}

/** What is known of a certificate's revocation. */
export type RevocationResult =
  /** An authority says that it is valid. */
  | { readonly kind: 'good' }
  /** Nobody could be asked, for this reason. */
  | { readonly kind: 'unchecked'; readonly reason: string }

export interface FetchedMap {
  readonly map: DERPMap
  /** Why nodes were left out of it; undefined if none was. */
  readonly problem: string | undefined
}

export interface MonitorPorts {
  readonly clock: Clock
  readonly log: Log
  /** Fetches the DERP map. A {@link MapUnreachableError} says that nobody answered. */
  readonly fetchMap: (signal: AbortSignal) => Promise<FetchedMap>
  /** Performs and verifies a TLS handshake with the node, and nothing else. */
  readonly handshake: (
    node: DERPNode,
    signal: AbortSignal,
  ) => Promise<Pick<TlsConnectionState, 'peerCertificates' | 'pin'>>
  /** Looks a certificate up where it says; throws if it is revoked, or if that place does not answer. */
  readonly checkRevocation: (chain: readonly PeerCertificate[], signal: AbortSignal) => Promise<RevocationResult>
  /** Sends STUN requests until one is answered. */
  readonly askStun: (address: string, port: number, signal: AbortSignal) => Promise<void>
  /** Connects and logs in. The caller closes the client. */
  readonly connect: (request: ConnectRequest, signal: AbortSignal) => Promise<ProbeClient>
  /** Random bytes for payloads. */
  readonly randomBytes: (length: number) => Uint8Array
}

/** The place of the DERP map could not be reached; an earlier map may still be good. */
export class MapUnreachableError extends Error {}
