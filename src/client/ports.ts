/**
 * What a client needs from its platform, declared by its consumer.
 *
 * Clauses: P-122, P-144, P-200, P-220, P-221.
 */

import type { DERPNode, DERPRegion } from '../derpmap/types.ts'
import type { NodePublicKey } from '../keys/node-key.ts'
import type { Conn } from '../transport/conn.ts'

/** A change of the host's network. */
export interface NetworkChange {
  /** The host's own addresses from now on, as text; undefined where the platform does not tell. */
  readonly addresses?: readonly string[] | undefined
}

/** Tells of changes of the host's network: an interface came or went, an address was lost. */
export interface NetworkMonitor {
  /** Calls `listener` at each change; the result takes that back. */
  subscribe(listener: (change: NetworkChange) => void): () => void
}

/** A relay by its http or https URL, or the first relay of a region that answers. */
export type DialTarget = { readonly url: URL } | { readonly region: DERPRegion }

/** Where to, and for how long. */
export interface DialRequest {
  readonly target: DialTarget
  /** Ends the attempt, and everything it has opened, when aborted; its reason says why. */
  readonly signal: AbortSignal
  /** The client's, for transports that dial by interface. */
  readonly netMon?: NetworkMonitor | undefined
}

/** Decides whether IPv6 is worth waiting for. */
export interface AddressFamilySelector {
  /** Whether IPv4 begins 200 ms after IPv6: to be true only where IPv6 is expected to work. */
  preferIPv6(): boolean
}

/** What is known of the TLS connection below a {@link Conn}. */
export interface TlsConnectionState {
  /** Such as `TLSv1.3`. */
  readonly version: string
  /** Such as `TLS_AES_128_GCM_SHA256`. */
  readonly cipher: string
  /** Name that was sent to the server; undefined for IP addresses. */
  readonly serverName: string | undefined
  /** Protocol agreed on by ALPN, if any was offered. */
  readonly protocol: string | undefined
  /** Whether an earlier session was resumed, in which no certificates are shown. */
  readonly isResumed: boolean
  /** What the server has shown, its own certificate first; of a resumed session, what it showed when that began. */
  readonly peerCertificates: readonly PeerCertificate[]
  /** SHA-256 in hex that the server's certificate had to have. */
  readonly pin: string | undefined
}

/** A certificate; in Node, an `X509Certificate` of `node:crypto`. */
export interface PeerCertificate {
  /** Distinguished name, one attribute per line. */
  readonly subject: string
  readonly issuer: string
  /** Such as `DNS:relay.example, IP Address:192.0.2.1`. */
  readonly subjectAltName?: string | undefined
  /** Hexadecimal. */
  readonly serialNumber: string
  readonly validFromDate: Date
  readonly validToDate: Date
  /** SHA-256 of {@link raw}, in hex with colons. */
  readonly fingerprint256: string
  /** DER. */
  readonly raw: Uint8Array
}

/** A connection on which the next bytes are DERP's. */
export interface DialedConn {
  /** Not opened yet. */
  readonly conn: Conn
  /**
   * The relay's key, when the transport has learned it: the client then sends ClientInfo without waiting for
   * ServerKey. A transport may hold back its request until that first write, so that both leave together.
   */
  readonly serverKey?: NodePublicKey | undefined
  /** Present over TLS. */
  readonly tls?: TlsConnectionState | undefined
  /** The one that was connected to, of a region. */
  readonly node?: DERPNode | undefined
}

/** Opens connections to relays: over sockets in Node, over WebSockets in browsers, in memory in tests. */
export interface ClientTransport {
  /** Rejects with a DerpError where it can tell what went wrong; any other error is wrapped by the client. */
  dial(request: DialRequest): Promise<DialedConn>
}
