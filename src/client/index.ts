/** Entry `derphttp/client`: the client of Node, and its parts for other platforms and other needs. */

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
export { parseDerpMap } from '../derpmap/parse.ts'
export { regionIds, requireRegion } from '../derpmap/regions.ts'
export type { DERPHomeParams, DERPMap, DERPNode, DERPRegion } from '../derpmap/types.ts'
export { Client as PortableClient, type ReceivedDetail, type RegionSource } from './client.ts'
export type { ConnectedState } from './connected-state.ts'
export { DerpClient } from './derp-client.ts'
export type { DnsCache } from './dns-cache.ts'
export type { HealthTracker } from './health-reporter.ts'
export { ErrClientClosed } from './link-keeper.ts'
export { NodeClient as Client, type NodeClientOptions as ClientOptions } from './node-client.ts'
export { createNodeTransport, NodeTransport } from './node-dial.ts'
export type { NodeTransportOptions, RegionTls, UrlDialer } from './node-dial-options.ts'
export { createDnsCache, type DnsCacheOptions } from './node-dns.ts'
export { type NetcheckClient, type NetcheckClientOptions, netcheckClient } from './node-netcheck-client.ts'
export { createNetworkMonitor, type NetworkMonitorOptions } from './node-network-monitor.ts'
export type { ProxyEnv } from './node-proxy-rules.ts'
export type { ClientOptions as PortableClientOptions, ConnectionOptions, DerpClientOptions } from './options.ts'
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
} from './ports.ts'
export { ProxyRefusedError } from './proxy-tunnel.ts'
export { ResilientClient } from './resilient-client.ts'
export type {
  HealthEvent,
  PeerGoneEvent,
  ResilientEvents,
  ResilientState,
  StateEvent,
  StateReason,
} from './resilient-events.ts'
export type { ResilientClientOptions, ResilientNumbers } from './resilient-options.ts'
export { ResilientRegionClient, type ResilientRegionOptions } from './resilient-region.ts'
export { TlsFailedError, type TlsFailureReason } from './tls-failure.ts'
export { UpgradeRefusedError } from './upgrade-response.ts'
export type { WatchLoopOptions } from './watch-loop.ts'
