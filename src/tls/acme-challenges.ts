/** The answers that an authority will come for, while it makes sure of a name (P-147). */

import type { SecureContext } from 'node:tls'

/** The protocol under which an authority asks for a certificate that answers it (RFC 8737). */
export const ACME_TLS_PROTOCOL = 'acme-tls/1'

const HTTP_PREFIX = '/.well-known/acme-challenge/'

/** Answers that wait to be fetched. */
export class AcmeChallenges {
  /** What to answer over plain HTTP, by token. */
  readonly http: Map<string, string> = new Map()
  /** What to show over TLS, by server name. */
  readonly tls: Map<string, SecureContext> = new Map()

  /** What to answer to a path over plain HTTP: null for one that nothing waits at, undefined for all other paths. */
  httpAnswer(path: string): string | null | undefined {
    if (!path.startsWith(HTTP_PREFIX)) return undefined
    return this.http.get(path.slice(HTTP_PREFIX.length)) ?? null
  }

  /** What to show to a client that offers `protocols`; undefined when it is an ordinary one, or nothing waits. */
  tlsAnswer(serverName: string, protocols: readonly string[]): SecureContext | undefined {
    return protocols.length === 1 && protocols[0] === ACME_TLS_PROTOCOL ? this.tls.get(serverName) : undefined
  }
}
