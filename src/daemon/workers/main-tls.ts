/** Certificates of a multi-threaded relay: owned by the main thread, which itself serves no TLS. */

import { randomBytes } from 'node:crypto'
import type { NodePublicKey } from '../../keys/node-key.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Log } from '../../lib/log.ts'
import { createAcmeTls } from '../../tls/acme/acme-tls.ts'
import type { CertificateSource } from '../../tls/certificate-source.ts'
import type { AcmeChallenges } from '../../tls/challenges.ts'
import { createManualTls } from '../../tls/files/manual-tls.ts'
import type { ReadMapNodePorts } from '../../tls/map-node.ts'
import type { RelayTls } from '../../tls/relay-tls.ts'
import { TlsReplicas } from '../../tls/replicas.ts'
import type { TlsSettings } from '../settings.ts'

export interface MainTls {
  readonly tls: RelayTls
  readonly replicas: TlsReplicas
  readonly certificates: CertificateSource
  /** HTTP-01 answers; undefined without ACME. */
  readonly challenges: AcmeChallenges | undefined
}

export interface MainTlsParts {
  readonly publicKey: NodePublicKey
  readonly clock: Clock
  readonly log: Log
  readonly mapNodePorts: ReadMapNodePorts
}

/** Size of Node's session ticket keys. */
const TICKET_KEYS_BYTES = 48

/** @throws DerpError for an unusable certificate or setting, with reason and remedy. */
export async function createMainTls(settings: TlsSettings, parts: MainTlsParts): Promise<MainTls> {
  const { hostname, directory, acme } = settings
  const replicas = new TlsReplicas()
  // Shared ticket keys: a client may resume its TLS session on any worker.
  const common = { ...parts, replicas, ticketKeys: randomBytes(TICKET_KEYS_BYTES) }
  if (acme !== undefined) return { ...(await createAcmeTls({ ...common, ...acme })), replicas }
  const { tls, certificates } = await createManualTls({ ...common, hostname, directory })
  return { tls, replicas, certificates, challenges: undefined }
}
