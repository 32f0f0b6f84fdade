/** The answers that an authority will come for, while it makes sure of a name (P-147). */

import { createSecureContext, type SecureContext } from 'node:tls'
import { TlsReplicas } from './replicas.ts'
import type { CertificatePair } from './x509.ts'

/** The protocol under which an authority asks for a certificate that answers it (RFC 8737). */
export const ACME_TLS_PROTOCOL = 'acme-tls/1'

const HTTP_PREFIX = '/.well-known/acme-challenge/'

/** Answers that wait to be fetched. */
export class AcmeChallenges {
  /** What to answer over plain HTTP, by token. */
  readonly http: Map<string, string> = new Map()
  readonly #tls = new Map<string, { readonly pair: CertificatePair; readonly context: SecureContext }>()
  readonly #replicas: TlsReplicas

  /** @param replicas other threads that the authority may meet. */
  constructor(replicas: TlsReplicas = new TlsReplicas()) {
    this.#replicas = replicas
  }

  /** What is shown over TLS, by server name. */
  get tlsPairs(): readonly (readonly [serverName: string, pair: CertificatePair])[] {
    return Array.from(this.#tls, ([serverName, { pair }]) => [serverName, pair] as const)
  }

  /** Shows `pair` to the authority when it asks for `serverName`; resolves once every thread does. */
  async showTls(serverName: string, pair: CertificatePair): Promise<void> {
    const context = createSecureContext({ cert: pair.certificate, key: pair.key, minVersion: 'TLSv1.2' })
    this.#tls.set(serverName, { pair, context })
    await this.#replicas.tell({ type: 'tlsAnswer', serverName, pair })
  }

  /** The authority has looked. */
  hideTls(serverName: string): void {
    if (this.#tls.delete(serverName)) void this.#replicas.tell({ type: 'tlsAnswer', serverName, pair: undefined })
  }

  /** What to answer to a path over plain HTTP: null for one that nothing waits at, undefined for all other paths. */
  httpAnswer(path: string): string | null | undefined {
    if (!path.startsWith(HTTP_PREFIX)) return undefined
    return this.http.get(path.slice(HTTP_PREFIX.length)) ?? null
  }

  /** What to show to a client that offers `protocols`; undefined when it is an ordinary one, or nothing waits. */
  tlsAnswer(serverName: string, protocols: readonly string[]): SecureContext | undefined {
    return protocols.length === 1 && protocols[0] === ACME_TLS_PROTOCOL ? this.#tls.get(serverName)?.context : undefined
  }
}
