/** TLS from a folder of certificates that is watched, complete with the meta certificate. */

import type { NodePublicKey } from '../../keys/node-key.ts'
import type { ReadMapNodePorts } from '../map-node.ts'
import { createMetaCertificate } from '../meta-cert.ts'
import { RelayTls, type RelayTlsOptions } from '../relay-tls.ts'
import { loadManualCertificate, type ManualCertificate, type ManualCertificateOptions } from './manual-certs.ts'
import { WatchedCertificates } from './watched-certs.ts'

export interface ManualTlsOptions extends ManualCertificateOptions, Pick<RelayTlsOptions, 'ticketKeys' | 'replicas'> {
  /** The relay's key, for the meta certificate. */
  readonly publicKey: NodePublicKey
  /** For what the log says of a DERP map. */
  readonly mapNodePorts?: ReadMapNodePorts | undefined
}

export interface ManualTls {
  readonly tls: RelayTls
  readonly certificate: ManualCertificate
  /** To be started when the relay runs. */
  readonly certificates: WatchedCertificates
}

/** @throws DerpError with file, reason and what to do. */
export async function createManualTls(options: ManualTlsOptions): Promise<ManualTls> {
  const certificate = await loadManualCertificate(options)
  const metaCertificate = await createMetaCertificate(options.publicKey, options.clock)
  const tls = new RelayTls({ ...options, certificate, metaCertificate })
  const replace = (pair: ManualCertificate) => tls.replace(pair)
  return { tls, certificate, certificates: new WatchedCertificates({ ...options, certificate, replace }) }
}
