/** Pending ACME challenge responses (P-147). */

import { createSecureContext, type SecureContext } from 'node:tls'
import { TlsReplicas } from './replicas.ts'
import type { CertificatePair } from './x509.ts'

/** The ALPN protocol of TLS-ALPN-01 challenges (RFC 8737). */
export const ACME_TLS_PROTOCOL = 'acme-tls/1'

const HTTP_PREFIX = '/.well-known/acme-challenge/'

/** Challenge responses that the authority will fetch. */
export class AcmeChallenges {
  /** Responses over plain HTTP, by token. */
  readonly http: Map<string, string> = new Map()
  readonly #tls = new Map<string, { readonly pair: CertificatePair; readonly context: SecureContext }>()
  readonly #replicas: TlsReplicas

  /** @param replicas other threads that the authority may reach. */
  constructor(replicas: TlsReplicas = new TlsReplicas()) {
    this.#replicas = replicas
  }

  /** Certificates over TLS, by server name. */
  get tlsPairs(): readonly (readonly [serverName: string, pair: CertificatePair])[] {
    return Array.from(this.#tls, ([serverName, { pair }]) => [serverName, pair] as const)
  }

  /** Whether an authority may come by TLS. */
  get awaitsTls(): boolean {
    return this.#tls.size > 0
  }

  /** Serves `pair` to the authority for `serverName`; resolves once every thread does. */
  async showTls(serverName: string, pair: CertificatePair): Promise<void> {
    const context = createSecureContext({ cert: pair.certificate, key: pair.key, minVersion: 'TLSv1.2' })
    this.#tls.set(serverName, { pair, context })
    await this.#replicas.tell({ type: 'tlsAnswer', serverName, pair })
  }

  /** Stops serving the challenge for `serverName`. */
  hideTls(serverName: string): void {
    if (this.#tls.delete(serverName)) void this.#replicas.tell({ type: 'tlsAnswer', serverName, pair: undefined })
  }

  /** The response for a path over plain HTTP: null for an unknown token, undefined for all other paths. */
  httpAnswer(path: string): string | null | undefined {
    if (!path.startsWith(HTTP_PREFIX)) return undefined
    return this.http.get(path.slice(HTTP_PREFIX.length)) ?? null
  }

  /** The certificate for a client that offers `protocols`; undefined for ordinary clients and unknown names. */
  tlsAnswer(serverName: string, protocols: readonly string[]): SecureContext | undefined {
    return protocols.length === 1 && protocols[0] === ACME_TLS_PROTOCOL ? this.#tls.get(serverName)?.context : undefined
  }
}
