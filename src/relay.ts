/** A relay for embedding in another program: the relay core with HTTP routes and debug pages. */

import { createDebug, type DebugOptions } from './http/debug/debug.ts'
import type { Endpoint, Page } from './http/page.ts'
import { type BootstrapDnsOptions, bootstrapDnsPage } from './http/pages/bootstrap-dns.ts'
import { createRoutes, isForDerp, type RouteOptions, type Routes } from './http/routes.ts'
import { derpEndpoint } from './http/upgrade/derp-endpoint.ts'
import { nodeAgreement } from './keys/node-box.ts'
import type { NodePublicKey } from './keys/node-key.ts'
import { assertPrivateKey } from './keys/private-key.ts'
import type { Clock } from './lib/clock.ts'
import type { Emitter } from './lib/emitter.ts'
import { CidrList } from './listen/cidr-list.ts'
import { type OriginOf, originReader } from './listen/client-address.ts'
import type { HttpRequest } from './listen/http-service.ts'
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
    Omit<RouteOptions, 'debug' | 'pages' | 'bootstrapDns' | 'readiness'> {
  /** Computes the shared key of each login. Default: `node:crypto`, in some 50 µs on the calling thread. */
  readonly agreement?: RelayCoreOptions['agreement']
  /** Access to the debug pages and their contents; `false` disables them. */
  readonly debug?: Pick<DebugOptions, 'access' | 'hintsAtAccess' | 'tlsHostname' | 'links'> | false
  /** Creates additional pages. Default: none. */
  readonly pages?: CreatePages
  /** Names that `/bootstrap-dns` returns. Default: none. */
  readonly bootstrapDns?: Omit<BootstrapDnsOptions, 'random' | 'originOf'>
  /**
   * Addresses and CIDR blocks of HTTP proxies whose `X-Forwarded-For` is trusted. Default: none.
   *
   * Admission, presence, logs and debug access then use the forwarded address.
   */
  readonly trustedProxies?: readonly string[] | undefined
  /** Additional metric sources of the program around the relay. */
  readonly program?: Partial<Omit<MetricSources, 'relay' | 'http' | 'wallNow'>>
  /** Makes this one worker of a multi-threaded relay: what `runWorker` passes to its callback. Default: a relay of its own. */
  readonly worker?: CoordinatedWorker
}

/** What a worker's relay gets from the coordinator of all workers. */
export interface CoordinatedWorker {
  /** Creates what makes the decisions that must be made once for all workers. */
  readonly createDirectory: CreateDirectory
  /** Decides who may connect. */
  readonly admission: AdmissionGate
  /** Data of the debug pages, of all workers. */
  readonly source: DebugSource
  /** Reads the metrics of all workers. */
  readonly metrics: MetricReader
  /** State that `/readyz` reports. Default: that of this relay alone. */
  readonly readiness?: ReadinessSource
}

/** Creates pages, by path. @param allowsDebug whether a request may see the debug pages. */
export type CreatePages = (
  sources: ShownRelay,
  allowsDebug: (request: HttpRequest) => boolean,
) => ReadonlyMap<string, Page>

/** Data sources and counters of a relay's pages. */
export interface ShownRelay {
  /** Clients, traffic and consistency. */
  readonly source: DebugSource
  /** Reads all metrics anew. */
  readonly metrics: MetricReader
  /** What `/readyz` reports. */
  readonly readiness: ReadinessSource
  /** Counters of HTTP, for pages that count. */
  readonly http: HttpCounters
  /** Time and timers. */
  readonly clock: Clock
  /** Random numbers in [0, 1). */
  readonly random: () => number
}

/** A running relay. It does not listen by itself. */
export interface Relay {
  /** The key by which clients know the relay. */
  readonly publicKey: NodePublicKey
  /** The relay without HTTP: its sessions, counters and limits. */
  readonly core: RelayCore
  /** Emits connects, disconnects and failed connections. */
  readonly events: Emitter<RelayEvents>
  /** Reads all metrics anew. */
  readonly metrics: MetricReader
  /** Counters of HTTP, TLS and WebSocket. */
  readonly http: HttpCounters
  /** State that `/readyz` reports; a program can add its own checks. */
  readonly readiness: Readiness
  /** What the relay serves over HTTP, `/derp` included; for `createHttpListener`. */
  readonly routes: Routes
  /**
   * Listener for the `upgrade` event of a `node:http` server: takes over upgrade requests for `/derp`. Others are left to
   * the server's other listeners, or get 404 if there are none.
   *
   * The optional fourth argument is when the connection was accepted, in milliseconds of the relay's clock; the login
   * deadline counts from then.
   *
   * On a TLS server, `socket.setMaxSendFragment(4096)` at `secureConnection` is for clients with small buffers.
   */
  readonly handleUpgrade: UpgradeHandler
  /** Listener for the `request` event of a `node:http` server: serves the relay's routes. */
  readonly handleRequest: RequestHandler
  /** Accepts a connection that already speaks DERP. */
  accept(conn: Conn): void
  /** Stops accepting, and closes connections spread over time; resolves when all are closed. */
  drain(options: DrainOptions): Promise<DrainResult>
  /** Closes all connections and accepts no more. */
  close(): void
}

/**
 * Creates a relay. Relays in one process share no state.
 *
 * @throws DerpError for an invalid option, TypeError for a private key that is none.
 * @example
 * ```ts
 * import { createServer } from 'node:http'
 *
 * const relay = createRelay({ privateKey, maxClients: 1_000 })
 * const server = createServer(relay.handleRequest)
 * server.on('upgrade', relay.handleUpgrade)
 * server.listen(3340)
 * ```
 */
export function createRelay(options: RelayOptions): Relay {
  // Programs in JavaScript may pass nothing at all.
  assertPrivateKey('create relay', (options as RelayOptions | undefined)?.privateKey)
  const { worker } = options
  const admission = worker?.admission ?? options.admission
  const core = new RelayCore({ agreement: nodeAgreement, ...options, admission }, worker?.createDirectory)
  const http = new HttpCounters()
  const { clock } = core.options
  const readiness = new Readiness([
    { name: 'draining', problem: () => (core.isClosed ? 'the relay accepts no more clients' : undefined) },
  ])
  const own = new CoreDebugSource(core)
  const { version = '', ...program } = options.program ?? {}
  const wallNow = () => clock.wallNow()
  const metrics =
    worker?.metrics ?? metricReader({ relay: () => own.snapshot(), http, ...program, readiness, version, wallNow })
  const shown = {
    source: worker?.source ?? own,
    metrics,
    readiness: worker?.readiness ?? readiness,
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
 * Creates a relay's HTTP routes.
 *
 * @param connect the endpoint `/derp`. Default: refuses, for a thread that accepts no clients.
 */
export function createRelayRoutes(
  options: Omit<RelayOptions, 'privateKey'>,
  relay: ShownRelay,
  connect?: Endpoint,
): Routes {
  const { source, metrics, readiness, http, clock, random } = relay
  const { debug: debugOptions = {}, pages, ...shown } = options
  const hasMeshKey = options.meshKey !== undefined
  const origin = originOf(options)
  const bootstrapDns = { ...options.bootstrapDns, random, originOf: origin }
  const debug =
    debugOptions === false
      ? undefined
      : createDebug({ ...debugOptions, source, metrics, clock, hasMeshKey, originOf: origin })
  const table = {
    ...shown,
    readiness,
    bootstrapDns: bootstrapDnsPage(bootstrapDns, http.bootstrapDns),
    ...(debug !== undefined && { debug }),
    ...(pages !== undefined && { pages: pages(relay, debug?.allows ?? (() => false)) }),
  }
  return createRoutes(table, connect)
}

function originOf({ trustedProxies }: Pick<RelayOptions, 'trustedProxies'>): OriginOf {
  return originReader(trustedProxies && new CidrList(trustedProxies))
}
