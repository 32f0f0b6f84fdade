/** The numbers of one moment, from which all metrics are made. */

import type { AdmissionCounters } from '../metrics/admission-counters.ts'
import type { ConnectionCounters } from '../metrics/connection-counters.ts'
import type { RelayCounters } from '../metrics/counters.ts'
import type { HttpCounters } from '../metrics/http-counters.ts'
import type { MeshLinkSnapshot } from '../metrics/mesh-counters.ts'
import type { RateLimit } from '../server/rate-limit.ts'
import type { RegistryCounters } from '../server/registry.ts'
import type { StunRequestCounters } from '../stun/request-counters.ts'
import type { StunCounters } from '../stun/responder.ts'
import type { CertificateStatus } from '../tls/certificate-source.ts'
import { type ProcessSnapshot, ProcessWatch } from './process-numbers.ts'
import type { Readiness, ReadinessReport } from './readiness.ts'

/** Numbers of a relay, of all its parts together. */
export interface RelaySnapshot {
  readonly counters: RelayCounters
  readonly registry: RegistryCounters
  /** Keys known in the region; those connected here. */
  readonly totalKeys: number
  readonly localKeys: number
  readonly watchers: number
  readonly averageQueueMs: number
  /** Bytes that were handed to connections and have not left, and those of packets that wait. */
  readonly pendingBytes: number
  /** Connections whose login is not complete. */
  readonly pendingLogins: number
  /** What each client may send; undefined for no limit. */
  readonly rateLimit: RateLimit | undefined
}

/** Numbers of the threads of a relay on several cores. */
export interface WorkersSnapshot {
  /** Those that take connections. */
  readonly running: number
  /** Those that have ended without being told to, and were replaced. */
  readonly crashes: number
}

export interface MetricSnapshot {
  readonly relay: RelaySnapshot
  readonly http: HttpCounters
  /** Undefined when the listeners are another's. */
  readonly connections: ConnectionCounters | undefined
  readonly stun: Readonly<StunCounters>
  /** The same by family and reason; undefined without STUN. */
  readonly stunRequests: StunRequestCounters | undefined
  /** Undefined without TLS. */
  readonly certificates: readonly CertificateStatus[] | undefined
  /** Undefined when everybody may connect. */
  readonly admission: AdmissionCounters | undefined
  /** Links to siblings; undefined without any. */
  readonly mesh: readonly MeshLinkSnapshot[] | undefined
  /** Undefined on one core. */
  readonly workers: WorkersSnapshot | undefined
  /** Undefined where nobody keeps it. */
  readonly readiness: ReadinessReport | undefined
  readonly process: ProcessSnapshot
  /** The relay serves TLS. */
  readonly tls: boolean
  /** Version of this software. */
  readonly version: string
  readonly commandLine: readonly string[]
}

/** Where {@link metricReader} finds the numbers. */
export interface MetricSources {
  readonly relay: () => Promise<RelaySnapshot>
  readonly http: HttpCounters
  readonly connections?: ConnectionCounters | undefined
  /** Asked each time, as STUN may be off, or start later. */
  readonly stun?: () => Readonly<StunCounters> | undefined
  readonly stunRequests?: () => StunRequestCounters | undefined
  /** Asked each time, as certificates come with the listeners. */
  readonly certificates?: () => readonly CertificateStatus[] | undefined
  /** Asked each time, as admission may come to be limited later. */
  readonly admission?: () => AdmissionCounters | undefined
  /** Asked each time, as links are made after the relay. */
  readonly mesh?: () => readonly MeshLinkSnapshot[] | undefined
  readonly workers?: () => WorkersSnapshot
  readonly readiness?: Readiness | undefined
  readonly tls?: boolean
  readonly version: string
  readonly commandLine?: readonly string[]
  /** Wall-clock milliseconds since 1970. */
  readonly wallNow: () => number
}

/** Reads all numbers, once each call. */
export type MetricReader = () => Promise<MetricSnapshot>

/** What STUN has counted when it is off. */
const NO_STUN: Readonly<StunCounters> = { success: 0, notStun: 0, writeError: 0, readError: 0, ipv4: 0, ipv6: 0 }

/** Makes a reader of `sources`. */
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
    workers: sources.workers?.(),
    readiness: sources.readiness?.report(),
    process: await watch.read(),
    tls: sources.tls ?? false,
    version: sources.version,
    commandLine: sources.commandLine ?? [],
  })
}
