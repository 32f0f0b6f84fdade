/** Snapshots from which all metrics are generated. */

import type { AdmissionCounters } from '../metrics/admission-counters.ts'
import type { ConnectionCounters } from '../metrics/connection-counters.ts'
import type { RelayCounters } from '../metrics/counters.ts'
import type { HttpCounters } from '../metrics/http-counters.ts'
import type { LogCounters } from '../metrics/log-counters.ts'
import type { MeshLinkSnapshot } from '../metrics/mesh-counters.ts'
import type { RegionSnapshot } from '../metrics/region-counters.ts'
import type { RegistryCounters } from '../metrics/registry-counters.ts'
import type { RateLimit } from '../server/reading/rate-limit.ts'
import type { StunRequestCounters } from '../stun/request-counters.ts'
import { createStunCounters, type StunCounters } from '../stun/responder.ts'
import type { CertificateStatus } from '../tls/certificate-source.ts'
import { type ProcessSnapshot, ProcessWatch } from './process-watch.ts'
import type { Readiness, ReadinessReport } from './readiness.ts'

/** Statistics of a relay, all workers together. */
export interface RelaySnapshot {
  readonly counters: RelayCounters
  readonly registry: RegistryCounters
  /** Keys known in the region, and those connected here. */
  readonly totalKeys: number
  readonly localKeys: number
  readonly watchers: number
  readonly averageQueueMs: number
  /** Bytes passed to connections but not yet sent, plus those of queued packets. */
  readonly pendingBytes: number
  /** Connections still logging in. */
  readonly pendingLogins: number
  /** Clients that wait for their share of the rate of all clients. */
  readonly heldBack: number
  /** Limit per client; undefined for none. */
  readonly rateLimit: RateLimit | undefined
}

/** Statistics of the worker threads. */
export interface WorkersSnapshot {
  /** Workers accepting connections. */
  readonly running: number
  /** Workers that crashed and were replaced. */
  readonly crashes: number
}

export interface MetricSnapshot {
  readonly relay: RelaySnapshot
  readonly http: HttpCounters
  /** Undefined if the listeners are not ours. */
  readonly connections: ConnectionCounters | undefined
  readonly stun: Readonly<StunCounters>
  /** By family and reason; undefined without STUN. */
  readonly stunRequests: StunRequestCounters | undefined
  /** Undefined without TLS. */
  readonly certificates: readonly CertificateStatus[] | undefined
  /** Undefined if everyone may connect. */
  readonly admission: AdmissionCounters | undefined
  /** Mesh links; undefined without any. */
  readonly mesh: readonly MeshLinkSnapshot[] | undefined
  /** Undefined outside regions over NATS. */
  readonly region: RegionSnapshot | undefined
  /** Undefined with a single thread. */
  readonly workers: WorkersSnapshot | undefined
  /** Undefined if not tracked. */
  readonly readiness: ReadinessReport | undefined
  /** Undefined if the log is not ours. */
  readonly log: LogCounters | undefined
  readonly process: ProcessSnapshot
  /** Whether the relay serves TLS. */
  readonly tls: boolean
  /** Software version. */
  readonly version: string
  readonly commandLine: readonly string[]
}

/** Sources of {@link metricReader}. */
export interface MetricSources {
  readonly relay: () => Promise<RelaySnapshot>
  readonly http: HttpCounters
  readonly connections?: ConnectionCounters | undefined
  /** Called each time, because STUN may be off or start later. */
  readonly stun?: () => Readonly<StunCounters> | undefined
  readonly stunRequests?: () => StunRequestCounters | undefined
  /** Called each time, because certificates come with the listeners. */
  readonly certificates?: () => readonly CertificateStatus[] | undefined
  /** Called each time, because admission may be restricted later. */
  readonly admission?: () => AdmissionCounters | undefined
  /** Called each time, because links are created after the relay. */
  readonly mesh?: () => readonly MeshLinkSnapshot[] | undefined
  /** Called each time, because the relay joins after its start. */
  readonly region?: () => RegionSnapshot | undefined
  readonly workers?: () => WorkersSnapshot
  readonly readiness?: Readiness | undefined
  readonly log?: LogCounters | undefined
  readonly tls?: boolean
  readonly version: string
  readonly commandLine?: readonly string[]
  /** Milliseconds since 1970. */
  readonly wallNow: () => number
}

/** Reads all statistics anew. */
export type MetricReader = () => Promise<MetricSnapshot>

/** STUN counters when STUN is off. */
const NO_STUN: Readonly<StunCounters> = createStunCounters()

/** Creates a reader for `sources`. */
export function metricReader(sources: MetricSources): MetricReader {
  const watch = new ProcessWatch(sources.wallNow)
  return async () => ({
    relay: await sources.relay(),
    http: sources.http,
    connections: sources.connections,
    stun: sources.stun?.() ?? NO_STUN,
    stunRequests: sources.stunRequests?.(),
    certificates: sources.certificates?.(),
    admission: sources.admission?.(),
    mesh: sources.mesh?.(),
    region: sources.region?.(),
    workers: sources.workers?.(),
    readiness: sources.readiness?.report(),
    log: sources.log,
    process: await watch.read(),
    tls: sources.tls ?? false,
    version: sources.version,
    commandLine: sources.commandLine ?? [],
  })
}
