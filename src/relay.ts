/** A relay to be mounted in a program of one's own: the relay core with its HTTP carriage and debug pages. */

import { createDebug, type DebugOptions } from './http/debug/debug.ts'
import type { Endpoint } from './http/page.ts'
import { type BootstrapDnsOptions, bootstrapDnsPage } from './http/pages/bootstrap-dns.ts'
import { createRoutes, isForDerp, type RouteOptions, type Routes } from './http/routes.ts'
import { derpEndpoint } from './http/upgrade/derp-endpoint.ts'
import { nodeAgreement } from './keys/node-box.ts'
import type { NodePublicKey } from './keys/node-key.ts'
import type { Clock } from './lib/clock.ts'
import type { Emitter } from './lib/emitter.ts'
import { CidrList } from './listen/cidr-list.ts'
import { type OriginOf, originReader } from './listen/client-address.ts'
import { type RequestHandler, requestHandler, type UpgradeHandler, upgradeHandler } from './listen/node/node-mount.ts'
import { HttpCounters } from './metrics/http-counters.ts'
import type { DrainOptions, DrainResult } from './server/drain.ts'
import type { RelayEvents } from './server/events.ts'
import type { RelayCoreOptions } from './server/options.ts'
import type { AdmissionGate } from './server/ports.ts'
import { type CreateDirectory, RelayCore } from './server/relay-core.ts'
import { EventLoopDelay } from './status/event-loop-delay.ts'
import { Readiness, type ReadinessSource } from './status/readiness.ts'
import { CoreDebugSource, type DebugSource } from './status/relay-view.ts'
import { type MetricReader, type MetricSources, metricReader } from './status/snapshot.ts'
import type { Conn } from './transport/conn.ts'

/** Options of {@link createRelay}. */
export interface RelayOptions
  extends Omit<RelayCoreOptions, 'agreement'>,
    Omit<RouteOptions, 'debug' | 'bootstrapDns' | 'readiness'> {
  /** Computes the shared key of each login. Default: Node's own cryptography, off the event loop. */
  readonly agreement?: RelayCoreOptions['agreement']
  /** Who else may see the debug pages, and what they show. `false` leaves them out. */
  readonly debug?: Pick<DebugOptions, 'access' | 'hintsAtAccess' | 'tlsHostname'> | false
  /** Names that `/bootstrap-dns` tells. Default: none. */
  readonly bootstrapDns?: Omit<BootstrapDnsOptions, 'random' | 'originOf'>
  /**
   * Addresses and CIDR blocks of HTTP proxies whose `X-Forwarded-For` is believed (P-125). Default: none.
   *
   * Admission, presence, logs and debug access then go by the address that they name.
   */
  readonly trustedProxies?: readonly string[] | undefined
  /** What the metrics show of the program around the relay. */
  readonly program?: Partial<Omit<MetricSources, 'relay' | 'http' | 'wallNow'>>
  /** Makes this one part of a relay on several cores, whose coordinator decides and whose snapshot are shown. */
  readonly part?: RelayPart
}

/** What makes a relay a part of one; a worker is given it by `runWorker`. */
export interface RelayPart {
  readonly createDirectory: CreateDirectory
  readonly admission: AdmissionGate
  readonly source: DebugSource
  readonly metrics: MetricReader
  /** What `/readyz` tells. Default: what this part knows. */
  readonly readiness?: ReadinessSource
}

/** What the pages of a relay show, and what counts for them. */
export interface ShownRelay {
  readonly source: DebugSource
  readonly metrics: MetricReader
  readonly readiness: ReadinessSource
  readonly http: HttpCounters
  readonly clock: Clock
  readonly random: () => number
}

/** A running relay. It listens on nothing by itself. */
export interface Relay {
  readonly publicKey: NodePublicKey
  readonly core: RelayCore
  /** Tells of clients that come and go, and of connections that fail. */
  readonly events: Emitter<RelayEvents>
  /** Reads all snapshot that the metrics show. */
  readonly metrics: MetricReader
  /** Counters of what carries DERP to the core. */
  readonly http: HttpCounters
  /** What `/readyz` tells; a program adds its own conditions. */
  readonly readiness: Readiness
  readonly routes: Routes
  /**
   * For the event `upgrade` of a server of `node:http`: takes the sockets of upgrade requests for `/derp`. All others are
   * left to the other listeners of the server; if there are none they are answered with 404.
   *
   * A fourth argument tells when the connection was accepted, in milliseconds of the relay's clock; the login deadline
   * counts from then.
   */
  readonly handleUpgrade: UpgradeHandler
  /** For the event `request` of a server of `node:http`: answers from the relay's routes. */
  readonly handleRequest: RequestHandler
  /** Takes a connection that speaks DERP already. */
  accept(conn: Conn): void
  /** Takes no more connections, and ends those there are bit by bit; resolves when all have ended. */
  drain(options: DrainOptions): Promise<DrainResult>
  /** Ends all connections and takes no more. */
  close(): void
}

/** Makes a relay. Two relays in one process share nothing. @throws DerpError for an option out of bounds. */
export function createRelay(options: RelayOptions): Relay {
  const { part } = options
  const admission = part?.admission ?? options.admission
  const core = new RelayCore({ agreement: nodeAgreement, ...options, admission }, part?.createDirectory)
  const http = new HttpCounters()
  const { clock } = core.options
  const readiness = new Readiness([
    { name: 'draining', problem: () => (core.isClosed ? 'the relay takes no more clients' : undefined) },
  ])
  const own = new CoreDebugSource(core)
  const { version = '', ...program } = options.program ?? {}
  const wallNow = () => clock.wallNow()
  const metrics =
    part?.metrics ?? metricReader({ relay: () => own.snapshot(), http, ...program, readiness, version, wallNow })
  const shown = {
    source: part?.source ?? own,
    metrics,
    readiness: part?.readiness ?? readiness,
    http,
    clock,
    random: core.options.random,
  }
  const routes = createRelayRoutes(options, shown, derpEndpoint(core, http, originOf(options)))
  const loop = new EventLoopDelay(core.counters.eventLoopDelayMs, clock)
  loop.start()
  return {
    publicKey: core.publicKey,
    core,
    events: core.events,
    metrics,
    http,
    readiness,
    routes,
    handleUpgrade: upgradeHandler(routes, isForDerp),
    handleRequest: requestHandler(routes),
    accept: conn => core.accept(conn),
    drain: drainOptions => core.drain(drainOptions),
    close: () => {
      loop.stop()
      core.close()
    },
  }
}

/**
 * What a relay serves over HTTP.
 *
 * @param connect what answers at `/derp`. Default: a refusal, for a thread that takes no clients.
 */
export function createRelayRoutes(
  options: Omit<RelayOptions, 'privateKey'>,
  { source, metrics, readiness, http, clock, random }: ShownRelay,
  connect?: Endpoint,
): Routes {
  const { debug = {}, ...shown } = options
  const hasMeshKey = options.meshKey !== undefined
  const origin = originOf(options)
  const bootstrapDns = { ...options.bootstrapDns, random, originOf: origin }
  const table = {
    ...shown,
    readiness,
    bootstrapDns: bootstrapDnsPage(bootstrapDns, http.bootstrapDns),
    ...(debug !== false && { debug: createDebug({ ...debug, source, metrics, clock, hasMeshKey, originOf: origin }) }),
  }
  return createRoutes(table, connect)
}

function originOf({ trustedProxies }: Pick<RelayOptions, 'trustedProxies'>): OriginOf {
  return originReader(trustedProxies && new CidrList(trustedProxies))
}
