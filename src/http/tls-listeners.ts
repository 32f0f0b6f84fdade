/** The two listeners of a relay that serves TLS: HTTPS, and plain HTTP beside it. */

import type { ManualCertificate } from '../tls/manual-certs.ts'
import { createManualTls, type ManualTlsOptions } from '../tls/manual-tls.ts'
import type { RelayTls } from '../tls/tls-options.ts'
import { createHttpsListener, type HttpsListenerOptions } from './https-listener.ts'
import { createHttpListener, type HttpListener } from './listeners.ts'
import { createPort80Routes } from './port80.ts'

export interface TlsListenersOptions extends ManualTlsOptions, Omit<HttpsListenerOptions, 'tls' | 'clock' | 'log'> {}

/** Neither listens yet. */
export interface TlsListeners {
  readonly https: HttpListener
  readonly port80: HttpListener
  readonly tls: RelayTls
  readonly certificate: ManualCertificate
}

/**
 * Makes the listeners of a relay whose certificates are in a folder.
 *
 * @throws DerpError for a certificate that cannot be used, with file, reason and what to do.
 */
export async function createManualTlsListeners(options: TlsListenersOptions): Promise<TlsListeners> {
  const { tls, certificate } = await createManualTls(options)
  const { routes } = options
  return {
    https: createHttpsListener({ ...options, tls }),
    port80: createHttpListener({ ...options, routes: createPort80Routes(routes) }),
    tls,
    certificate,
  }
}
