/**
 * What a client requires from its platform.
 *
 * Clauses: P-122, P-144, P-200, P-220, P-221.
 */

import type { DERPNode, DERPRegion } from '../derpmap/types.ts'
import type { NodePublicKey } from '../keys/public-key.ts'
import type { Conn } from '../transport/conn.ts'

/** A change of the host's network. */
export interface NetworkChange {
  /** The host's current addresses as text; undefined if the platform does not say. */
  readonly addresses?: readonly string[] | undefined
}

/** Reports changes of the host's network: an interface appeared or vanished, an address was lost. */
export interface NetworkMonitor {
  /** Calls `listener` on each change; returns a function that removes it. */
  subscribe(listener: (change: NetworkChange) => void): () => void
}

/** A relay by its http or https URL, or the first reachable relay of a region. */
export type DialTarget = { readonly url: URL } | { readonly region: DERPRegion }

/** What to dial, and until when. */
export interface DialRequest {
  /** The relay to reach. */
  readonly target: DialTarget
  /** Cancels the attempt and closes everything it has opened; its reason says why. */
  readonly signal: AbortSignal
  /** The client's network monitor, for transports that dial by interface. */
  readonly netMon?: NetworkMonitor | undefined
}

/** Decides whether IPv6 gets a head start. */
export interface AddressFamilySelector {
  /** Whether IPv4 starts 200 ms after IPv6; only useful where IPv6 is expected to work. */
  preferIPv6(): boolean
}

/** TLS details of a {@link Conn}. */
export interface TlsConnectionState {
  /** Such as `TLSv1.3`. */
  readonly version: string
  /** Such as `TLS_AES_128_GCM_SHA256`. */
  readonly cipher: string
  /** Server name that was sent; undefined for IP addresses. */
  readonly serverName: string | undefined
  /** Protocol negotiated by ALPN, if offered. */
  readonly protocol: string | undefined
  /** Whether an earlier session was resumed, in which case no certificates are sent. */
  readonly isResumed: boolean
  /** The server's certificates, leaf first; for a resumed session, those of the original handshake. */
  readonly peerCertificates: readonly PeerCertificate[]
  /** SHA-256 in hex that the server's certificate was pinned to. */
  readonly pin: string | undefined
}

/** A certificate; in Node, an `X509Certificate` of `node:crypto`. */
export interface PeerCertificate {
  /** Distinguished name, one attribute per line. */
  readonly subject: string
  /** Distinguished name of the issuer, in the same form. */
  readonly issuer: string
  /** Such as `DNS:relay.example, IP Address:192.0.2.1`. */
  readonly subjectAltName?: string | undefined
  /** Hexadecimal. */
  readonly serialNumber: string
  /** Start of its validity. */
  readonly validFromDate: Date
  /** End of its validity. */
  readonly validToDate: Date
  /** SHA-256 of {@link raw}, in hex with colons. */
  readonly fingerprint256: string
  /** DER. */
  readonly raw: Uint8Array
}

/** A connection ready to carry DERP. */
export interface DialedConn {
  /** Not opened yet. */
  readonly conn: Conn
  /**
   * The relay's key, if the transport has learned it: the client then sends ClientInfo without waiting for ServerKey. A
   * transport may delay its request until that first write, so that both leave together.
   */
  readonly serverKey?: NodePublicKey | undefined
  /** Present over TLS. */
  readonly tls?: TlsConnectionState | undefined
  /** The connected node of a region. */
  readonly node?: DERPNode | undefined
}

/** Opens connections to relays: over sockets in Node, over WebSockets in browsers, in memory in tests. */
export interface ClientTransport {
  /**
   * Opens a connection and upgrades it to DERP. Rejects with a DerpError if it knows the cause; the client wraps any other
   * error with the code `ERR_DERP_DIAL_FAILED`.
   */
  dial(request: DialRequest): Promise<DialedConn>
}
