/** Counters of what carries DERP: listeners, TLS, WebSocket, PROXY headers, bootstrap DNS. Plain fields, like those of the relay. */

import type { TlsFailure } from './tls-failure.ts'

export class HttpCounters {
  websocketAccepts = 0
  /** HTTP requests over TLS, by version of TLS (P-196). */
  readonly tlsRequests: Record<string, number> = {}
  /** Those of them that are not over; an upgraded connection is one until it ends. */
  readonly tlsActive: Record<string, number> = {}
  /** Connections that the TLS listener took, and those that it closed for coming too fast (P-108). */
  tlsAccepted = 0
  tlsRejected = 0
  /** Connections whose TLS handshake did not succeed. */
  readonly tlsHandshakeFailures: Partial<Record<TlsFailure, number>> = {}
  /** Undefined where no listener waits for PROXY headers. */
  proxyHeaders: ProxyHeaderCounters | undefined
  /** Answers of `/bootstrap-dns` (P-164). */
  readonly bootstrapDns: BootstrapDnsCounters = {
    requests: 0,
    queriedDomains: 0,
    publishedHits: 0,
    publishedMisses: 0,
    unpublishedHits: 0,
    unpublishedMisses: 0,
    unpublishedPercentMisses: 0,
  }

  /** Notes a TLS handshake that did not succeed. */
  failTlsHandshake(cause: TlsFailure): void {
    this.tlsHandshakeFailures[cause] = (this.tlsHandshakeFailures[cause] ?? 0) + 1
  }

  /** Notes a request over TLS of `version`; what it returns is called once, when the request is over. */
  beginTlsRequest(version: string): () => void {
    this.tlsRequests[version] = (this.tlsRequests[version] ?? 0) + 1
    this.tlsActive[version] = (this.tlsActive[version] ?? 0) + 1
    return () => {
      this.tlsActive[version] = (this.tlsActive[version] ?? 0) - 1
    }
  }
}

/** Connections from trusted proxies, by what they began with (P-126, P-127). */
export interface ProxyHeaderCounters {
  /** A header that names the client, in text or binary. */
  v1: number
  v2: number
  /** A header of a proxy that speaks for itself, or for somebody it cannot name. */
  local: number
  /** None, or one that makes no sense; these connections were closed. */
  missing: number
  malformed: number
}

export interface BootstrapDnsCounters {
  requests: number
  /** Different names that were asked for lately; a gauge, whatever the original calls it. */
  queriedDomains: number
  publishedHits: number
  publishedMisses: number
  unpublishedHits: number
  unpublishedMisses: number
  /** Unpublished names that the client's address was not chosen for. */
  unpublishedPercentMisses: number
}
