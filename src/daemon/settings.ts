/**
 * Settings of the daemon, grouped by component. Immutable.
 *
 * `relay`, `listen`, `debug` and `pages` are posted to workers, so they hold only what structured clone can copy.
 */

import type { AdmissionSettings } from '../admission/create-admission.ts'
import type { RequestLimits } from '../admission/request-queue.ts'
import type { NatsBusOptions } from '../backplane/nats-bus.ts'
import type { ProxyEnv } from '../client/node/node-proxy-rules.ts'
import type { MetricsAccess } from '../http/metrics/metrics-access.ts'
import type { MeshKey } from '../keys/mesh-key.ts'
import type { AcceptLimitOptions } from '../listen/accept-limits.ts'
import type { HttpListenerOptions } from '../listen/node/http-listener.ts'
import type { HttpsListenerOptions } from '../listen/node/https-listener.ts'
import type { MeshTarget } from '../mesh/mesh-target.ts'
import type { RelayOptions } from '../relay.ts'
import type { StunServerOptions } from '../stun/server.ts'
import type { AcmeSettings } from '../tls/acme/acme-settings.ts'
import type { HomeAddress } from '../web/home/home-map.ts'
import type { ListenAddress } from './listen-address.ts'
import type { LogFormat, LogLevel } from './log/log.ts'

export interface DaemonSettings {
  readonly relay: RelaySettings
  readonly listen: ListenSettings
  readonly debug: DebugSettings
  readonly pages: PageSettings
  /** Undefined to serve plain HTTP. */
  readonly tls: TlsSettings | undefined
  /** Undefined for no STUN. */
  readonly stun: StunSettings | undefined
  readonly admission: AdmissionSettings
  readonly outbound: OutboundSettings
  readonly mesh: MeshSettings
  /** The region to join over NATS; undefined for none. */
  readonly region: RegionSettings | undefined
  readonly bootstrapDns: BootstrapDnsSettings
  readonly drain: DrainSettings
  /** Undefined for no upgrades in place; otherwise all ports are bound so that another process of the user may share them. */
  readonly upgrade: UpgradeSettings | undefined
  readonly log: LogSettings
  /** The listener for metrics; undefined for none. */
  readonly metrics: MetricsSettings | undefined
  /** The account to run as once ports are bound; undefined to keep the current one. */
  readonly account: Account | undefined
  /** Threads that serve clients; 1 for the main thread only. */
  readonly workers: number
  /** Files re-read on SIGHUP, by flag. */
  readonly reloaded: Readonly<Record<string, string>>
  readonly program: ProgramSettings
  /** Warnings about valid but doubtful settings. */
  readonly notes: readonly string[]
}

/** Relay options that are plain data; the daemon adds the others. */
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
  | 'pages'
  | 'program'
  | 'worker'
  | 'shareLedger'
>

/** Listen address, and listener options that are plain data. */
export interface ListenSettings
  extends Omit<HttpListenerOptions, 'routes' | 'upgrade' | 'clock' | 'onAcceptTimeout' | 'limits' | 'proxyGate'>,
    Required<Pick<HttpsListenerOptions, 'tlsRecordBytes'>> {
  readonly address: ListenAddress
  readonly limits: AcceptLimitOptions
  /** Addresses and CIDR blocks of trusted proxies; undefined for none. */
  readonly trustedProxies: readonly string[] | undefined
  /** Whether connections of trusted proxies begin with a PROXY header. */
  readonly proxyProtocol: boolean
}

/** Access to the debug pages from other machines, and their contents. */
export interface DebugSettings {
  /** An address with access. */
  readonly allowAddress: string | undefined
  /** File with the key that grants access from any address. */
  readonly keyPath: string | undefined
  /** A file with the token that opens the status page from anywhere. */
  readonly statusTokenPath: string | undefined
  readonly hintsAtAccess: boolean
  readonly tlsHostname: string
}

/** Settings of the pages for people. */
export interface PageSettings {
  readonly address: HomeAddress
  /** Whether the demo is served. */
  readonly demo: boolean
}

export interface TlsSettings {
  readonly hostname: string
  /** Certificate folder. */
  readonly directory: string
  /** Port for plain HTTP beside TLS; undefined for none. */
  readonly httpPort: number | undefined
  /** Undefined to use certificates already in the folder. */
  readonly acme: AcmeSettings | undefined
}

/** Options of the STUN server that are plain data. */
export interface StunSettings extends Omit<StunServerOptions, 'onError' | 'onBridge' | 'counts' | 'clock'> {
  readonly port: number
}

/** Outgoing connections of the daemon. */
export interface OutboundSettings {
  /** Proxy variables for the admission URL, mesh links and the ACME directory. */
  readonly proxyEnv: ProxyEnv
  /** Bounds on admission requests. */
  readonly requests: RequestLimits
}

export interface MeshSettings {
  /** Undefined for no mesh. */
  readonly key: MeshKey | undefined
  /** Mesh peers to link to. */
  readonly peers: readonly MeshTarget[]
  /** Clients that each may announce; 0 for no limit. */
  readonly maxClients: number
}

/** A region of relays over NATS. */
export interface RegionSettings {
  readonly name: string
  /** `nats:` or `tls:` URLs, which may hold a user and password. */
  readonly servers: readonly string[]
  /** File read at each connection attempt. */
  readonly credentialsFile: string | undefined
  /** Paths of PEM files; undefined unless TLS is configured. */
  readonly tls: NatsBusOptions['tls']
  /** Where the other relays reach this one; undefined for {@link host} and the port it listens on. */
  readonly url: string | undefined
  readonly host: string
}

/** Comma-separated names for `/bootstrap-dns`; empty for none. */
export interface BootstrapDnsSettings {
  readonly published: string
  readonly unpublished: string
}

/** Timing of a graceful shutdown (P-174). */
export interface DrainSettings {
  /** How long new clients are still accepted, so that load balancers notice. */
  readonly delayMs: number
  /** Time over which connections are then closed. */
  readonly spreadMs: number
  /** How long a client is told to retry this relay before it goes elsewhere. */
  readonly tryForMs: number
  /** Longest time from signal to exit. */
  readonly deadlineMs: number
}

/** Upgrades in place (P-177). */
export interface UpgradeSettings {
  /** Path of the Unix socket through which another `derper` takes over. */
  readonly controlSocket: string
  /** Whether to take over from the one that listens there. */
  readonly takeOver: boolean
  /** Time for this process to become ready, when it takes over. */
  readonly readyMs: number
}

export interface LogSettings {
  readonly level: LogLevel
  readonly format: LogFormat
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
  /** All groups, {@link gid} included. */
  readonly groups: readonly number[]
}

/** What metrics and debug pages show about the program. */
export interface ProgramSettings {
  readonly version: string
  /** With secrets removed. */
  readonly commandLine: readonly string[]
}

/** Settings that can change at runtime, apart from admission rules and file contents. */
export interface LiveSettings {
  readonly log: LogSettings
  readonly metricsAccess: MetricsAccess
  readonly drain: DrainSettings
  /** Bytes per second from all clients together; 0 for no limit. */
  readonly totalRate: number
}
