/**
 * All settings of the daemon, in a group for each of its parts. Made by the command line, never changed here.
 *
 * Workers are sent `relay`, `listen` and `debug` as they are, so these groups hold what structured clone copies.
 */

import type { AdmissionSettings } from '../admission/create-admission.ts'
import type { RequestLimits } from '../admission/request-queue.ts'
import type { ProxyEnv } from '../client/node/node-proxy-rules.ts'
import type { MetricsAccess } from '../http/metrics/metrics-access.ts'
import type { MeshKey } from '../keys/mesh-key.ts'
import type { AcceptLimitOptions } from '../listen/accept-limits.ts'
import type { HttpListenerOptions } from '../listen/node/http-listener.ts'
import type { MeshTarget } from '../mesh/mesh-target.ts'
import type { RelayOptions } from '../relay.ts'
import type { StunServerOptions } from '../stun/server.ts'
import type { AcmeSettings } from '../tls/acme/acme-settings.ts'
import type { ListenAddress } from './listen-address.ts'
import type { LogLevel } from './log.ts'

export interface DaemonSettings {
  readonly relay: RelaySettings
  readonly listen: ListenSettings
  readonly debug: DebugSettings
  /** Undefined to serve plain HTTP. */
  readonly tls: TlsSettings | undefined
  /** Undefined for no STUN. */
  readonly stun: StunSettings | undefined
  readonly admission: AdmissionSettings
  readonly outbound: OutboundSettings
  readonly mesh: MeshSettings
  readonly bootstrapDns: BootstrapDnsSettings
  readonly drain: DrainSettings
  readonly log: LogSettings
  /** The listener for metrics; undefined for none. */
  readonly metrics: MetricsSettings | undefined
  /** The account to run as once ports are bound; undefined to keep the one that started the daemon. */
  readonly account: Account | undefined
  /** Threads that serve clients; 1 for the main thread alone. */
  readonly workers: number
  /** Files that are read again on SIGHUP, by the flag that names each. */
  readonly reloaded: Readonly<Record<string, string>>
  readonly program: ProgramSettings
  /** Warnings for the operator about settings that work. */
  readonly notes: readonly string[]
}

/** Options of the relay that are plain data; the daemon adds the others. */
export type RelaySettings = Omit<
  RelayOptions,
  | 'privateKey'
  | 'meshKey'
  | 'agreement'
  | 'admission'
  | 'clock'
  | 'log'
  | 'random'
  | 'debug'
  | 'bootstrapDns'
  | 'program'
  | 'part'
  | 'waitingCount'
>

/** Where connections of clients are accepted, and options of the listeners that are plain data. */
export interface ListenSettings
  extends Omit<HttpListenerOptions, 'routes' | 'upgrade' | 'clock' | 'onAcceptTimeout' | 'limits' | 'proxyGate'> {
  readonly address: ListenAddress
  readonly limits: AcceptLimitOptions
  /** Addresses and CIDR blocks of trusted proxies; undefined for none. */
  readonly trustedProxies: readonly string[] | undefined
  /** Whether connections of trusted proxies begin with a PROXY header. */
  readonly proxyProtocol: boolean
}

/** Who may see the debug pages besides this machine, and what they show. */
export interface DebugSettings {
  /** An address that has access. */
  readonly allowAddress: string | undefined
  /** A file with the key that gives access from anywhere. */
  readonly keyPath: string | undefined
  readonly hintsAtAccess: boolean
  readonly tlsHostname: string
}

export interface TlsSettings {
  readonly hostname: string
  /** Folder of certificates. */
  readonly directory: string
  /** Port for plain HTTP beside TLS; undefined for none. */
  readonly httpPort: number | undefined
  /** How an authority is asked; undefined when certificates were put into the folder. */
  readonly acme: AcmeSettings | undefined
}

/** Options of the STUN server that are plain data. */
export interface StunSettings extends Omit<StunServerOptions, 'onError' | 'onBridge' | 'clock'> {
  readonly port: number
}

/** How the daemon connects to others. */
export interface OutboundSettings {
  /** Where proxies are looked up, for the admission URL, mesh links and the ACME directory. */
  readonly proxyEnv: ProxyEnv
  /** Bounds on admission requests. */
  readonly requests: RequestLimits
}

export interface MeshSettings {
  /** Undefined to take part in no mesh. */
  readonly key: MeshKey | undefined
  /** Mesh peers to link to; empty for none. */
  readonly peers: readonly MeshTarget[]
  /** Clients that each may announce; 0 for no limit. */
  readonly maxClients: number
}

/** Names for `/bootstrap-dns`, with commas between them; empty for none. */
export interface BootstrapDnsSettings {
  readonly published: string
  readonly unpublished: string
}

/** How the daemon ends (P-174), in milliseconds. */
export interface DrainSettings {
  /** For how long new clients are still taken, so that a load balancer can notice. */
  readonly delayMs: number
  /** Over how long connections are ended then. */
  readonly spreadMs: number
  /** How long a client is told to try this relay again before it goes elsewhere. */
  readonly tryForMs: number
  /** From the signal to the end. */
  readonly deadlineMs: number
}

export interface LogSettings {
  readonly level: LogLevel
}

/** The listener for metrics and health (P-172, P-173). */
export interface MetricsSettings {
  readonly address: ListenAddress
  readonly access: MetricsAccess
}

/** A user of this machine with its groups. */
export interface Account {
  readonly uid: number
  readonly gid: number
  /** All groups, that of {@link gid} among them. */
  readonly groups: readonly number[]
}

/** What metrics and debug pages show of the program. */
export interface ProgramSettings {
  readonly version: string
  /** Without secrets. */
  readonly commandLine: readonly string[]
}

/** Settings that can change while the daemon runs, but for the rules of admission and what is in files. */
export interface LiveSettings {
  readonly log: LogSettings
  readonly metricsAccess: MetricsAccess
  readonly drain: DrainSettings
  /** Bytes per second from all clients together; 0 for no limit. */
  readonly totalRate: number
}
