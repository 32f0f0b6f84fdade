/**
 * How a relay speaks TLS: which certificate it shows to whom, and what it offers.
 *
 * Clauses: P-140 meta certificate, P-141 names, P-142 versions and protocols.
 */

import {
  createSecureContext,
  type SecureContext,
  type SecureContextOptions,
  type Server,
  type TlsOptions,
} from 'node:tls'
import { isIpHostname } from './manual-certs.ts'
import type { CertificatePair } from './x509.ts'

export interface RelayTlsOptions {
  /** With a DNS name, clients must ask for it; with an IP address they need not ask for anything. */
  readonly hostname: string
  readonly certificate: CertificatePair
  /** PEM of the certificate that goes behind all others; see `createMetaCertificate`. */
  readonly metaCertificate: string
}

/** The TLS settings of a relay; its certificate can be replaced while servers run. */
export class RelayTls {
  readonly hostname: string
  readonly #metaCertificate: string
  readonly #servers = new Set<Server>()
  #credentials: SecureContextOptions
  #context: SecureContext

  /** @throws Error for a certificate or key that cannot be used. */
  constructor(options: RelayTlsOptions) {
    this.hostname = options.hostname
    this.#metaCertificate = options.metaCertificate
    this.#credentials = this.#credentialsOf(options.certificate)
    this.#context = createSecureContext(this.#credentials)
  }

  /** What a server is made with; {@link attach} it then. */
  serverOptions(): TlsOptions {
    const common: TlsOptions = { minVersion: 'TLSv1.2', ALPNProtocols: ['http/1.1'] }
    if (isIpHostname(this.hostname)) return { ...common, ...this.#credentials }
    // No certificate of the server's own: without the right name in the handshake there is none to be shown, and the
    // handshake ends with an alert. Nothing is called when no name is sent at all.
    return {
      ...common,
      SNICallback: (serverName, answer) => answer(null, serverName === this.hostname ? this.#context : undefined),
    }
  }

  /** Keeps the server's certificate up to date until it closes. */
  attach(server: Server): void {
    this.#servers.add(server)
    server.once('close', () => this.#servers.delete(server))
  }

  /**
   * Shows another certificate from now on; connections that are open stay.
   *
   * @throws Error for a certificate or key that cannot be used; then nothing has changed.
   */
  replace(certificate: CertificatePair): void {
    const credentials = this.#credentialsOf(certificate)
    this.#context = createSecureContext(credentials)
    this.#credentials = credentials
    if (!isIpHostname(this.hostname)) return
    for (const server of this.#servers) server.setSecureContext(credentials)
  }

  #credentialsOf({ certificate, key }: CertificatePair): SecureContextOptions {
    return { cert: `${certificate.trimEnd()}\n${this.#metaCertificate}`, key, minVersion: 'TLSv1.2' }
  }
}
