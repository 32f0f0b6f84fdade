/**
 * Options of the Node transport, and its results.
 *
 * Clauses: P-223.
 */

import type { Duplex } from 'node:stream'
import type { ConnectionOptions, TLSSocket } from 'node:tls'
import type { DERPNode } from '../../derpmap/types.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Log } from '../../lib/log.ts'
import type { DnsCache } from '../dial/dns-cache.ts'
import type { TokenSource } from '../dial/token.ts'
import type { AddressFamilySelector, TlsConnectionState } from '../ports.ts'
import type { ProxyEnv } from './node-proxy-rules.ts'

/**
 * Opens a connection instead of TCP: over a VPN, through SOCKS, from another address.
 *
 * It resolves the host itself, and should stop when `signal` is aborted.
 */
export type UrlDialer = (
  address: {
    /** A DNS name or an IP address, without brackets. */
    readonly host: string
    /** TCP port. */
    readonly port: number
  },
  signal: AbortSignal,
) => Promise<Duplex>

/** Options of {@link NodeTransport}. */
export interface NodeTransportOptions {
  /**
   * For https: `ca` for private authorities, client certificates, and anything else `tls.connect` accepts.
   *
   * `servername` replaces the host of a URL, in the handshake and for verification; region nodes have their own.
   */
  readonly tlsConfig?: ConnectionOptions | undefined
  /**
   * For clients of a URL: SHA-256 of the server's certificate in DER form, 64 hex digits, as `derp map make` and
   * `openssl x509 -noout -fingerprint -sha256` print it. Exactly this one is accepted then, by whatever authority; it must
   * be valid for the host. Region nodes have their own in `CertName`.
   */
  readonly pin?: string | undefined
  /** DNS cache. Default: none, the system is asked each time. See `createDnsCache`. */
  readonly dnsCache?: DnsCache | undefined
  /** Opens the connections of clients of a URL; not used for regions and proxies. */
  readonly urlDialer?: UrlDialer | undefined
  /** Decides whether IPv6 gets a head start. Default: it does not. */
  readonly addressFamilySelector?: AddressFamilySelector | undefined
  /**
   * `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`, in either case: `process.env`, or an object with these names.
   *
   * The environment is never read implicitly: without this option no proxy is used.
   */
  readonly proxyEnv?: ProxyEnv | undefined
  /** For the TLS to a proxy whose own URL is https. */
  readonly proxyTlsConfig?: ConnectionOptions | undefined
  /** Bearer token, for relays that admit by token. */
  readonly token?: TokenSource | undefined
  /** Plain HTTP to region nodes, on port 3340 unless they specify another; for development. */
  readonly useHttp?: boolean | undefined
  /**
   * Which failure of a node makes a region client try the next. `tcp`, the default, is the connection only, as in
   * the original: a client stays with a node that accepts connections, whatever comes of them. `tls` is TLS or the
   * upgrade too, for which each node gets 3 s.
   */
  readonly failover?: 'tcp' | 'tls' | undefined
  /** Time and timers. Default: the platform's. */
  readonly clock?: Clock | undefined
  /** Receives a debug line for each node that could not be reached. Default: nothing is logged. */
  readonly log?: Log | undefined
}

/** A bare TLS connection to a node of a region. */
export interface RegionTls {
  /** The connection; nothing was sent over it. */
  readonly socket: TLSSocket
  /** The node that was reached. */
  readonly node: DERPNode
  /** What the handshake has negotiated. */
  readonly tls: TlsConnectionState
  /** Closes the connection at once. */
  readonly close: () => void
}
