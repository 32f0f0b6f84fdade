/**
 * The client for Node, Bun and Deno, with DERP maps, regions, proxies and DNS, and the parts of one for another platform.
 *
 * @module derphttp/client
 */

import './assert-runtime.ts'

export { Client as PortableClient } from '../client/client.ts'
export type { ConnectedState } from '../client/connected-state.ts'
export type { RegionSource } from '../client/connector.ts'
export { DerpClient } from '../client/derp-client.ts'
export type { DnsCache, HostLookup } from '../client/dial/dns-cache.ts'
export { ProxyRefusedError } from '../client/dial/proxy-tunnel.ts'
export { TlsFailedError, type TlsFailureReason } from '../client/dial/tls-failure.ts'
export type { TokenSource } from '../client/dial/token.ts'
export { UpgradeRefusedError } from '../client/dial/upgrade-response.ts'
export type { HealthTracker } from '../client/health-reporter.ts'
export { ErrClientClosed } from '../client/link-keeper.ts'
export { type AuthorityEnv, type AuthorityOptions, systemAuthorities } from '../client/node/node-authorities.ts'
export { NodeClient as Client, type NodeClientOptions as ClientOptions } from '../client/node/node-client.ts'
export { createNodeTransport, NodeTransport } from '../client/node/node-dial.ts'
export type { NodeTransportOptions, RegionTls, UrlDialer } from '../client/node/node-dial-options.ts'
export { createDnsCache, type DnsCacheOptions } from '../client/node/node-dns.ts'
export { type NetcheckClient, type NetcheckClientOptions, netcheckClient } from '../client/node/node-netcheck-client.ts'
export { createNetworkMonitor, type NetworkMonitorOptions } from '../client/node/node-network-monitor.ts'
export type { ProxyEnv } from '../client/node/node-proxy-rules.ts'
export type {
  ClientOptions as PortableClientOptions,
  ConnectionObserver,
  ConnectionOptions,
  DerpClientOptions,
} from '../client/options.ts'
export type {
  AddressFamilySelector,
  ClientTransport,
  DialedConn,
  DialRequest,
  DialTarget,
  NetworkChange,
  NetworkMonitor,
  PeerCertificate,
  TlsConnectionState,
} from '../client/ports.ts'
export type { ReceivedDetail } from '../client/received-detail.ts'
export { ResilientClient } from '../client/resilient/resilient-client.ts'
export type {
  HealthEvent,
  PeerGoneEvent,
  ResilientEvents,
  ResilientState,
  StateEvent,
  StateReason,
} from '../client/resilient/resilient-events.ts'
export type { ResilientClientOptions, ResilientSnapshot } from '../client/resilient/resilient-options.ts'
export { ResilientRegionClient, type ResilientRegionOptions } from '../client/resilient/resilient-region.ts'
export type { FailureReason } from '../client/resilient/target-schedule.ts'
export type { WatchLoopOptions } from '../client/watch-loop.ts'
export { DerpMapError } from '../derpmap/derp-map-error.ts'
export { type DerpMapDiff, diffDerpMaps, type NodeChange, type RegionChange } from '../derpmap/diff.ts'
export {
  type AddressSource,
  type CertificateRule,
  type DerpEndpoint,
  type EndpointOptions,
  resolveEndpoint,
} from '../derpmap/endpoint.ts'
export {
  type HomeChoice,
  type HomeInput,
  type HomeReason,
  type LatencyReport,
  pickHome,
  recentReports,
} from '../derpmap/home-region.ts'
export { parseDerpMapText, readDerpMapFile } from '../derpmap/node-map-text.ts'
export { type ParseDerpMapOptions, parseDerpMap } from '../derpmap/parse.ts'
export { regionIds, requireRegion } from '../derpmap/regions.ts'
export type { DERPHomeParams, DERPMap, DERPNode, DERPRegion } from '../derpmap/types.ts'
export type { IpFamily } from '../lib/address-port.ts'
