/** The certificates of a relay on several threads: the main thread has them and serves no TLS itself. */

import { randomBytes } from 'node:crypto'
import type { NodePublicKey } from '../../keys/node-key.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Log } from '../../lib/log.ts'
import { createAcmeTls } from '../../tls/acme/acme-tls.ts'
import type { CertificateSource } from '../../tls/certificate-source.ts'
import type { AcmeChallenges } from '../../tls/challenges.ts'
import { createManualTls } from '../../tls/files/manual-tls.ts'
import type { MapNode, ReadMapNodePorts } from '../../tls/map-node.ts'
import type { RelayTls } from '../../tls/relay-tls.ts'
import { TlsReplicas } from '../../tls/replicas.ts'
import type { TlsSettings } from '../settings.ts'

export interface MainTls {
  readonly tls: RelayTls
  readonly replicas: TlsReplicas
  readonly certificates: CertificateSource
  /** What an authority is answered over plain HTTP; undefined where none is asked. */
  readonly challenges: AcmeChallenges | undefined
  /** The relay's entry in a DERP map, where its certificate is of its own making. */
  readonly mapNode: MapNode | undefined
}

export interface MainTlsParts {
  readonly publicKey: NodePublicKey
  readonly clock: Clock
  readonly log: Log
  readonly mapNodePorts: ReadMapNodePorts
}

/** Of the keys that tickets of TLS sessions are sealed with. */
const TICKET_KEYS_BYTES = 48

/** @throws DerpError for a certificate or setting that cannot be used, with reason and what to do. */
export async function createMainTls(settings: TlsSettings, parts: MainTlsParts): Promise<MainTls> {
  const { hostname, directory, acme } = settings
  const replicas = new TlsReplicas()
  // A client may come back to any worker.
  const common = { ...parts, replicas, ticketKeys: randomBytes(TICKET_KEYS_BYTES) }
  if (acme !== undefined) return { ...(await createAcmeTls({ ...common, ...acme })), replicas, mapNode: undefined }
  const { tls, certificates, certificate } = await createManualTls({ ...common, hostname, directory })
  return { tls, replicas, certificates, challenges: undefined, mapNode: certificate.derpMapNode }
}
