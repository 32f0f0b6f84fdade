/** Counters of listeners, TLS, WebSocket, PROXY headers and bootstrap DNS, as plain fields. */

import type { TlsFailure } from './tls-failure.ts'

export class HttpCounters {
  websocketAccepts = 0
  /** HTTP requests over TLS, by TLS version (P-196). */
  readonly tlsRequests: Record<string, number> = {}
  /** The active ones; an upgraded connection counts until it ends. */
  readonly tlsActive: Record<string, number> = {}
  /** Connections accepted by the TLS listener, and those refused by its rate limit (P-108). */
  tlsAccepted = 0
  tlsRejected = 0
  /** Connections whose TLS handshake failed. */
  readonly tlsHandshakeFailures: Partial<Record<TlsFailure, number>> = {}
  /** Undefined if no listener expects PROXY headers. */
  proxyHeaders: ProxyHeaderCounters | undefined
  /** Responses of `/bootstrap-dns` (P-164). */
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

/** Connections from trusted proxies by their first bytes (P-126, P-127). */
export interface ProxyHeaderCounters {
  /** A header that names the client, in text or binary. */
  v1: number
  v2: number
  /** A header that names no client: the proxy's own connection, or an unsupported address family. */
  local: number
  /** None, or a malformed one; these connections were closed. */
  missing: number
  malformed: number
}

export interface BootstrapDnsCounters {
  requests: number
  /** Distinct names asked for recently; a gauge, whatever the original calls it. */
  queriedDomains: number
  publishedHits: number
  publishedMisses: number
  unpublishedHits: number
  unpublishedMisses: number
  /** Unpublished names withheld from the client by percentage. */
  unpublishedPercentMisses: number
}
