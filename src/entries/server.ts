/** Entry `derphttp/server`: a relay to embed in a Node program. */

import './assert-runtime.ts'

export { type DerpHandler, type HandlerOptions, handler, probeHandler, serveNoContent } from '../http/handler.ts'
export { NO_CONTENT_CHALLENGE_HEADER, NO_CONTENT_RESPONSE_HEADER } from '../http/pages/generate-204.ts'
export type { RouteOptions, Routes } from '../http/routes.ts'
export { MeshKey } from '../keys/mesh-key.ts'
export { NodePrivateKey, NodePublicKey } from '../keys/node-key.ts'
export type { AddressPort } from '../lib/address-port.ts'
export { type Clock, systemClock, type Timer } from '../lib/clock.ts'
export { DerpError, type DerpErrorCode, isDerpError } from '../lib/derp-error.ts'
export type { Log, LogFields } from '../lib/log.ts'
export { type AcceptLimitOptions, AcceptLimits } from '../listen/accept-limits.ts'
export { createHttpListener, type HttpListener, type HttpListenerOptions } from '../listen/node/http-listener.ts'
export { ProxyGate, type ProxyGateOptions } from '../listen/node/proxy-gate.ts'
export { mergeCounters, RelayCounters } from '../metrics/counters.ts'
export { DROP_REASONS, DropReason } from '../metrics/drop-reason.ts'
export { createRelay, type Relay, type RelayOptions } from '../relay.ts'
export type { DrainOptions, DrainResult } from '../server/drain.ts'
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
export { RelayCore } from '../server/relay-core.ts'
export type { Session } from '../server/session.ts'
export { Readiness, type ReadinessCheck, type ReadinessReport } from '../status/readiness.ts'
export type { Conn, ConnHandler } from '../transport/conn.ts'
export { memoryConnPair } from '../transport/memory-conn.ts'
export { NodeConn } from '../transport/node-conn.ts'
export { Workers, type WorkersOptions } from '../workers/coordinator/node-workers.ts'
export { runWorker } from '../workers/worker/node-run-worker.ts'
export type { RelayWorker } from '../workers/worker/relay-worker.ts'
export type { WorkerRuntime } from '../workers/worker/worker-runtime.ts'
