/** TLS from a folder of certificates, complete with the meta certificate. */

import type { NodePublicKey } from '../keys/node-key.ts'
import { loadManualCertificate, type ManualCertificate, type ManualCertificateOptions } from './manual-certs.ts'
import { createMetaCertificate } from './meta-cert.ts'
import { RelayTls } from './tls-options.ts'

export interface ManualTlsOptions extends ManualCertificateOptions {
  /** The relay's key, for the meta certificate. */
  readonly publicKey: NodePublicKey
}

/** @throws DerpError with file, reason and what to do. */
export async function createManualTls(
  options: ManualTlsOptions,
): Promise<{ tls: RelayTls; certificate: ManualCertificate }> {
  const certificate = await loadManualCertificate(options)
  const metaCertificate = await createMetaCertificate(options.publicKey, options.clock)
  return { tls: new RelayTls({ hostname: options.hostname, certificate, metaCertificate }), certificate }
}
