/**
 * Counters of listeners, TLS, WebSocket, PROXY headers and bootstrap DNS, as plain fields.
 *
 * Clauses: P-108, P-126, P-127, P-164, P-196.
 */

import type { TlsFailure } from './tls-failure.ts'

/** Counters of HTTP, TLS and WebSocket since the start. */
export class HttpCounters {
  /** DERP connections over WebSocket. */
  websocketAccepts = 0
  /** HTTP requests over TLS, by TLS version. */
  readonly tlsRequests: Record<string, number> = {}
  /** HTTP requests over TLS that are not answered yet, by TLS version; an upgraded connection counts until it ends. */
  readonly tlsActive: Record<string, number> = {}
  /** Connections accepted by the TLS listener. */
  tlsAccepted = 0
  /** Connections refused by its rate limit. */
  tlsRejected = 0
  /** Failed TLS handshakes, by cause. */
  readonly tlsHandshakeFailures: Partial<Record<TlsFailure, number>> = {}
  /** First bytes of trusted proxies; undefined if no listener expects PROXY headers. */
  proxyHeaders: ProxyHeaderCounters | undefined
  /** Responses of `/bootstrap-dns`. */
  readonly bootstrapDns: BootstrapDnsCounters = {
    requests: 0,
    queriedDomains: 0,
    publishedHits: 0,
    publishedMisses: 0,
    unpublishedHits: 0,
    unpublishedMisses: 0,
    unpublishedPercentMisses: 0,
  }

  /** What ends a request, by version: many connections share it. */
  readonly #ends = new Map<string, () => void>()

  /** Counts a failed TLS handshake. */
  failTlsHandshake(cause: TlsFailure): void {
    this.tlsHandshakeFailures[cause] = (this.tlsHandshakeFailures[cause] ?? 0) + 1
  }

  /** Counts a request over TLS of `version`; call the returned function once when the request has ended. */
  beginTlsRequest(version: string): () => void {
    this.tlsRequests[version] = (this.tlsRequests[version] ?? 0) + 1
    this.tlsActive[version] = (this.tlsActive[version] ?? 0) + 1
    const end = this.#ends.get(version) ?? this.#endOf(version)
    this.#ends.set(version, end)
    return end
  }

  #endOf(version: string): () => void {
    return () => {
      this.tlsActive[version] = (this.tlsActive[version] ?? 0) - 1
    }
  }
}

/** Connections from trusted proxies by their first bytes. */
export interface ProxyHeaderCounters {
  /** A text header that names the client. */
  v1: number
  /** A binary header that names the client. */
  v2: number
  /** A header that names no client: the proxy's own connection, or an unsupported address family. */
  local: number
  /** No header; the connection was closed. */
  missing: number
  /** A malformed header; the connection was closed. */
  malformed: number
}

/** Responses of `/bootstrap-dns`. */
export interface BootstrapDnsCounters {
  /** Requests. */
  requests: number
  /** Distinct names asked for recently; a gauge, whatever the original calls it. */
  queriedDomains: number
  /** Queries for a published name. */
  publishedHits: number
  /** Queries for a published name that has not resolved. */
  publishedMisses: number
  /** Queries for an unpublished name. */
  unpublishedHits: number
  /** Queries for a name that is not known, or has not resolved. */
  unpublishedMisses: number
  /** Unpublished names withheld from the client by percentage. */
  unpublishedPercentMisses: number
}
