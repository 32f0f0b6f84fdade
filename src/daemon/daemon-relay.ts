/** The daemon's relay with its TCP listeners, on one thread or several. */

import type { ReadmittedClient } from '../admission/readmission.ts'
import type { KnownNames } from '../http/pages/bootstrap-names.ts'
import type { NodePrivateKey, NodePublicKey } from '../keys/node-key.ts'
import type { MeshOwner } from '../mesh/mesh.ts'
import type { DrainOptions, DrainResult } from '../server/drain.ts'
import type { AdmissionGate } from '../server/ports.ts'
import type { RateLimit } from '../server/reading/rate-limit.ts'
import type { RegionHost } from '../server/region-ports.ts'
import type { Readiness } from '../status/readiness.ts'
import type { MetricReader, MetricSources } from '../status/snapshot.ts'
import type { CertificateSource } from '../tls/certificate-source.ts'
import type { ReadMapNodePorts } from '../tls/map-node.ts'
import type { DaemonLog, LogLevel } from './log/log.ts'
import type { DaemonSettings } from './settings.ts'

/** Arguments of a relay's constructor. */
export interface DaemonRelayParts {
  readonly settings: DaemonSettings
  readonly privateKey: NodePrivateKey
  readonly log: DaemonLog
  readonly admission: AdmissionGate
  /** For `/bootstrap-dns`. */
  readonly names: { readonly published: KnownNames | undefined; readonly unpublished: KnownNames | undefined }
  /** Metrics of the program around the relay. */
  readonly program: Omit<Partial<MetricSources>, 'relay' | 'http' | 'connections' | 'certificates' | 'wallNow'>
  readonly mapNodePorts: ReadMapNodePorts
}

export interface DaemonRelay extends MeshOwner {
  readonly publicKey: NodePublicKey
  readonly metrics: MetricReader
  readonly readiness: Readiness
  /** The relay as its region sees it; undefined with workers, which cannot join one. */
  readonly regionHost: RegionHost | undefined
  /** Logged-in connections. */
  readonly clients: Iterable<ReadmittedClient>
  /** Their number. */
  readonly connections: number
  /** The bound TCP port; 0 before {@link listen}. */
  readonly port: number
  /** The bound port for plain HTTP beside TLS, if any. */
  readonly httpPort: number | undefined
  /** Source and state of the certificates; undefined without TLS. */
  readonly certificates: CertificateSource | undefined
  /** Whether it accepts connections. */
  readonly isListening: boolean
  /** Reads certificates; binds nothing. @throws DerpError with file, reason and remedy. */
  prepare(): Promise<void>
  /** @throws DerpError naming the flag whose port cannot be bound. */
  listen(): Promise<void>
  /** Starts renewing certificates; all ports must be bound. */
  start(): Promise<void>
  /** Closes all connections of a client. */
  closePeer(key: NodePublicKey): void
  limitRate(limit: RateLimit | undefined): void
  /** Bytes per second from all clients together (P-105); 0 for no limit. */
  limitTotalRate(bytesPerSecond: number): void
  /** Call when the resolved names for `/bootstrap-dns` have changed. */
  namesChanged(): void
  setLogLevel(level: LogLevel): void
  /** Stops accepting; open connections stay. */
  stopListening(): void
  /** Closes client connections spread over time. */
  drain(options: DrainOptions): Promise<DrainResult>
  /** Closes all connections and ports. */
  close(): Promise<void>
}
