/**
 * A relay to embed in a Node program.
 *
 * @module derphttp/server
 */

import './assert-runtime.ts'

export type { DebugOptions } from '../http/debug/debug.ts'
export type { DebugAccessOptions } from '../http/debug/debug-access.ts'
export { type DerpHandler, type HandlerOptions, handler, probeHandler, serveNoContent } from '../http/handler.ts'
export type { Page } from '../http/page.ts'
export type { BootstrapDnsOptions } from '../http/pages/bootstrap-dns.ts'
export type { BootstrapName, KnownNames } from '../http/pages/bootstrap-names.ts'
export { NO_CONTENT_CHALLENGE_HEADER, NO_CONTENT_RESPONSE_HEADER } from '../http/pages/generate-204.ts'
export type { RouteOptions, Routes } from '../http/routes.ts'
export type { ConnAcceptor } from '../http/upgrade/derp-endpoint.ts'
export type { KeyAgreement } from '../keys/box.ts'
export { MeshKey } from '../keys/mesh-key.ts'
export { NodePrivateKey, NodePublicKey } from '../keys/node-key.ts'
export type { AddressPort } from '../lib/address-port.ts'
export { type Clock, systemClock, type Timer } from '../lib/clock.ts'
export { DerpError, type DerpErrorCode, isDerpError } from '../lib/derp-error.ts'
export type { Emitter, Unsubscribe } from '../lib/emitter.ts'
export type { Log, LogFields } from '../lib/log.ts'
export type { SourceLimit } from '../lib/rate/source-limiter.ts'
export type { TokenBucketOptions } from '../lib/rate/token-bucket.ts'
export { type AcceptGate, type AcceptLimitOptions, AcceptLimits } from '../listen/accept-limits.ts'
export type {
  HttpAnswer,
  HttpHeaders,
  HttpReply,
  HttpRequest,
  HttpService,
  HttpUpgrade,
} from '../listen/http-service.ts'
export {
  type BindOptions,
  createHttpListener,
  type HttpListener,
  type HttpListenerOptions,
} from '../listen/node/http-listener.ts'
export type { RequestHandler, UpgradeHandler } from '../listen/node/node-mount.ts'
export { ProxyGate, type ProxyGateOptions } from '../listen/node/proxy-gate.ts'
export type { ConnectionCounters, RefusalReason } from '../metrics/connection-counters.ts'
export { type Amount, mergeCounters, RelayCounters } from '../metrics/counters.ts'
export { DROP_REASONS, DropReason, type PacketKind } from '../metrics/drop-reason.ts'
export type { CumulativeBucket, Histogram } from '../metrics/histogram.ts'
export type { BootstrapDnsCounters, HttpCounters, ProxyHeaderCounters } from '../metrics/http-counters.ts'
export type { TlsFailure } from '../metrics/tls-failure.ts'
export type { ClientInfo } from '../protocol/client-info.ts'
export type { ServerInfo } from '../protocol/server-info.ts'
export {
  type CoordinatedWorker,
  type CreatePages,
  createRelay,
  type Relay,
  type RelayOptions,
  type ShownRelay,
} from '../relay.ts'
export type { ConnectionTally } from '../server/connection-tally.ts'
export type { DrainOptions, DrainResult } from '../server/drain.ts'
export type { RelayEvents } from '../server/events.ts'
export type { SessionIdentity } from '../server/hosts.ts'
export { DEFAULTS, type RelayCoreOptions } from '../server/options.ts'
export type {
  AdmissionGate,
  AdmissionRequest,
  AdmissionVerdict,
  Destination,
  Link,
  LinkRoutes,
  PacketSource,
  Recipient,
} from '../server/ports.ts'
export type { RateLimit } from '../server/reading/rate-limit.ts'
export { RelayCore } from '../server/relay-core.ts'
export type { AcceptOptions } from '../server/server-login.ts'
export type { Session } from '../server/session.ts'
export {
  type Finding,
  Readiness,
  type ReadinessCheck,
  type ReadinessReport,
  type ReadinessSource,
} from '../status/readiness.ts'
export type { MetricReader } from '../status/snapshot.ts'
export type { Conn, ConnHandler } from '../transport/conn.ts'
export { type MemoryConn, type MemoryConnOptions, memoryConnPair } from '../transport/memory-conn.ts'
export { NodeConn, type NodeConnOptions } from '../transport/node-conn.ts'
export { Workers, type WorkersOptions } from '../workers/coordinator/node-workers.ts'
export { runWorker } from '../workers/worker/node-run-worker.ts'
export type { RelayWorker } from '../workers/worker/relay-worker.ts'
export type { WorkerRuntime } from '../workers/worker/worker-runtime.ts'
