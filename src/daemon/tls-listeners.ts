/** The two listeners of a TLS relay: HTTPS, and plain HTTP beside it. */

import { type ChallengeAnswers, createPort80Routes } from '../http/pages/port80.ts'
import type { Routes } from '../http/routes.ts'
import { createHttpListener, type HttpListener } from '../listen/node/http-listener.ts'
import { createHttpsListener, type HttpsListenerOptions } from '../listen/node/https-listener.ts'
import { type AcmeTlsOptions, createAcmeTls } from '../tls/acme/acme-tls.ts'
import type { CertificateSource } from '../tls/certificate-source.ts'
import type { ManualCertificate } from '../tls/files/manual-certs.ts'
import { createManualTls, type ManualTlsOptions } from '../tls/files/manual-tls.ts'
import type { RelayTls } from '../tls/relay-tls.ts'

interface CommonOptions extends Omit<HttpsListenerOptions, 'tls' | 'clock' | 'log'> {
  readonly routes: Routes
}

export interface TlsListenersOptions extends ManualTlsOptions, CommonOptions {}

export interface AcmeTlsListenersOptions extends AcmeTlsOptions, CommonOptions {}

/** Both unbound. */
export interface TlsListeners {
  readonly https: HttpListener
  readonly port80: HttpListener
  readonly tls: RelayTls
  /** Renews the certificates; start it once both listeners are bound, close it with them. */
  readonly certificates: CertificateSource
}

/**
 * Creates the listeners of a relay with certificates in a folder.
 *
 * @throws DerpError for an unusable certificate, with file, reason and remedy.
 */
export async function createManualTlsListeners(
  options: TlsListenersOptions,
): Promise<TlsListeners & { readonly certificate: ManualCertificate }> {
  const { tls, certificate, certificates } = await createManualTls(options)
  return { ...createListeners(options, tls), tls, certificate, certificates }
}

/**
 * Creates the listeners of a relay with ACME certificates. Handshakes fail until the first is issued.
 *
 * @throws DerpError naming the missing or conflicting setting.
 */
export async function createAcmeTlsListeners(options: AcmeTlsListenersOptions): Promise<TlsListeners> {
  const { tls, certificates, challenges } = await createAcmeTls(options)
  return { ...createListeners(options, tls, challenges), tls, certificates }
}

function createListeners(
  options: (TlsListenersOptions | AcmeTlsListenersOptions) & CommonOptions,
  tls: RelayTls,
  challenges?: ChallengeAnswers,
): Pick<TlsListeners, 'https' | 'port80'> {
  return {
    https: createHttpsListener({ ...options, tls }),
    port80: createHttpListener({ ...options, routes: createPort80Routes(options.routes, challenges) }),
  }
}
