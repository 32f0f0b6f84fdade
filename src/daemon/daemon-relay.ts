/** The relay of the daemon with its TCP listeners, whether it runs on one thread or on several. */

import type { ReadmittedClient } from '../admission/readmission.ts'
import type { KnownNames } from '../http/pages/bootstrap-names.ts'
import type { NodePrivateKey, NodePublicKey } from '../keys/node-key.ts'
import type { MeshOwner } from '../mesh/mesh.ts'
import type { DrainOptions, DrainResult } from '../server/drain.ts'
import type { AdmissionGate } from '../server/ports.ts'
import type { RateLimit } from '../server/reading/rate-limit.ts'
import type { Readiness } from '../status/readiness.ts'
import type { MetricReader, MetricSources } from '../status/snapshot.ts'
import type { CertificateSource } from '../tls/certificate-source.ts'
import type { MapNode, ReadMapNodePorts } from '../tls/map-node.ts'
import type { LevelledLog, LogLevel } from './log.ts'
import type { DaemonSettings } from './settings.ts'

/** What it is made for. */
export interface DaemonRelayParts {
  readonly settings: DaemonSettings
  readonly privateKey: NodePrivateKey
  readonly log: LevelledLog
  readonly admission: AdmissionGate
  /** For `/bootstrap-dns`. */
  readonly names: { readonly published: KnownNames | undefined; readonly unpublished: KnownNames | undefined }
  /** What the metrics show of the program around the relay. */
  readonly program: Omit<Partial<MetricSources>, 'relay' | 'http' | 'connections' | 'certificates' | 'wallNow'>
  readonly mapNodePorts: ReadMapNodePorts
}

export interface DaemonRelay extends MeshOwner {
  readonly publicKey: NodePublicKey
  readonly metrics: MetricReader
  readonly readiness: Readiness
  /** Connections that are logged in. */
  readonly clients: Iterable<ReadmittedClient>
  /** How many these are. */
  readonly connections: number
  /** The TCP port that was bound; 0 before. */
  readonly port: number
  /** The port for plain HTTP beside TLS that was bound, if any. */
  readonly httpPort: number | undefined
  /** Where certificates come from, and how they are; undefined without TLS. */
  readonly certificates: CertificateSource | undefined
  /** The relay's entry in a DERP map, without ports, where its certificate is of its own making. */
  readonly mapNode: MapNode | undefined
  /** Takes connections. */
  readonly isListening: boolean
  /** Reads certificates and binds nothing yet. @throws DerpError with file, reason and what to do. */
  prepare(): Promise<void>
  /** Binds. @throws DerpError naming the flag whose port cannot be had. */
  listen(): Promise<void>
  /** Sees to certificates from now on; all ports must be bound. */
  start(): Promise<void>
  /** Ends all connections of a client. */
  closePeer(key: NodePublicKey): void
  limitRate(limit: RateLimit | undefined): void
  /** Bytes per second from all clients together (P-105); 0 for no limit. */
  limitTotalRate(bytesPerSecond: number): void
  /** What has been resolved of the names for `/bootstrap-dns` has changed. */
  namesChanged(): void
  setLogLevel(level: LogLevel): void
  /** Takes no more connections; those there are stay. */
  stopListening(): void
  /** Ends the clients' connections bit by bit. */
  drain(options: DrainOptions): Promise<DrainResult>
  /** Ends all connections and frees all ports. */
  close(): Promise<void>
}
