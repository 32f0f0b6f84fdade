/**
 * The client over WebSocket. Uses only web APIs: runs in pages, workers and other runtimes.
 *
 * @module derphttp/browser
 */

import './assert-runtime.ts'

export {
  BrowserClient as Client,
  type BrowserClientOptions as ClientOptions,
} from '../client/browser/browser-client.ts'
export type { PageDocument, PageEvents } from '../client/browser/page-monitor.ts'
export { createPageMonitor, type PageMonitorOptions } from '../client/browser/page-monitor.ts'
export { RegionClient } from '../client/browser/region-client.ts'
export {
  PageResilientClient as ResilientClient,
  PageResilientRegionClient as ResilientRegionClient,
} from '../client/browser/resilient-client.ts'
export type { OpeningWebSocket } from '../client/browser/websocket-transport.ts'
export { WebSocketTransport, type WebSocketTransportOptions } from '../client/browser/websocket-transport.ts'
export type { ConnectedState } from '../client/connected-state.ts'
export type { RegionSource } from '../client/connector.ts'
export type { TokenSource } from '../client/dial/token.ts'
export type { HealthTracker } from '../client/health-reporter.ts'
export { ErrClientClosed } from '../client/link-keeper.ts'
export type { NetworkChange, NetworkMonitor } from '../client/ports.ts'
export type { ReceivedDetail } from '../client/received-detail.ts'
export type {
  HealthEvent,
  PeerGoneEvent,
  ResilientEvents,
  ResilientState,
  StateEvent,
  StateReason,
} from '../client/resilient/resilient-events.ts'
export type { ResilientClientOptions } from '../client/resilient/resilient-options.ts'
export type { ResilientRegionOptions } from '../client/resilient/resilient-region.ts'
export { watchConnections } from '../client/watch-connections.ts'
export type { WatchLoopOptions } from '../client/watch-loop.ts'
export { DerpMapError } from '../derpmap/derp-map-error.ts'
export { type ParseDerpMapOptions, parseDerpMap } from '../derpmap/parse.ts'
export type { DERPMap, DERPNode, DERPRegion } from '../derpmap/types.ts'
export { MeshKey } from '../keys/mesh-key.ts'
export type { PrivateKey, SecretBytes } from '../keys/private-key.ts'
export { NodePublicKey } from '../keys/public-key.ts'
export { WebPrivateKey as NodePrivateKey } from '../keys/web-key.ts'
export type { AddressPort } from '../lib/address-port.ts'
export { DerpError, type DerpErrorCode, isDerpError } from '../lib/derp-error.ts'
export type { Emitter, Unsubscribe } from '../lib/emitter.ts'
export type { Log, LogFields } from '../lib/log.ts'
export { MAX_PACKET_LENGTH } from '../protocol/constants.ts'
export {
  PeerGoneReason,
  type ReceivedMessage,
  type ReceivedPacketMessage,
} from '../protocol/messages.ts'
