/** TLS from a watched certificate folder, meta certificate included. */

import type { NodePublicKey } from '../../keys/node-key.ts'
import type { ReadMapNodePorts } from '../map-node.ts'
import { createMetaCertificate } from '../meta-cert.ts'
import { RelayTls, type RelayTlsOptions } from '../relay-tls.ts'
import { loadManualCertificate, type ManualCertificate, type ManualCertificateOptions } from './manual-certs.ts'
import { WatchedCertificates } from './watched-certs.ts'

export interface ManualTlsOptions extends ManualCertificateOptions, Pick<RelayTlsOptions, 'ticketKeys' | 'replicas'> {
  /** The relay's key, for the meta certificate. */
  readonly publicKey: NodePublicKey
  /** Ports for the DERP map entry in the log. */
  readonly mapNodePorts?: ReadMapNodePorts | undefined
}

export interface ManualTls {
  readonly tls: RelayTls
  readonly certificate: ManualCertificate
  /** Start it once the relay runs. */
  readonly certificates: WatchedCertificates
}

/** @throws DerpError with file, reason and fix. */
export async function createManualTls(options: ManualTlsOptions): Promise<ManualTls> {
  const certificate = await loadManualCertificate(options)
  const metaCertificate = await createMetaCertificate(options.publicKey, options.clock)
  const tls = new RelayTls({ ...options, certificate, metaCertificate })
  const replace = (pair: ManualCertificate) => tls.replace(pair)
  return { tls, certificate, certificates: new WatchedCertificates({ ...options, certificate, replace }) }
}
