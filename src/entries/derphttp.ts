/**
 * The client, keys, and received messages.
 *
 * @module derphttp
 */

import './assert-runtime.ts'

export type { TokenSource } from '../client/dial/token.ts'
export { MeshKey } from '../keys/mesh-key.ts'
export { NodePrivateKey, NodePublicKey } from '../keys/node-key.ts'
export type { PrivateKey, SecretBytes } from '../keys/private-key.ts'
export type { AddressPort } from '../lib/address-port.ts'
export type { DerpErrorDetails } from '../lib/derp-error.ts'
export { DerpError, type DerpErrorCode, isDerpError } from '../lib/derp-error.ts'
export type { Emitter, Unsubscribe } from '../lib/emitter.ts'
export type { Log, LogFields } from '../lib/log.ts'
export { MAX_PACKET_LENGTH } from '../protocol/constants.ts'
export {
  type HealthMessage,
  type KeepAliveMessage,
  type PeerGoneMessage,
  PeerGoneReason,
  PeerPresentFlag,
  type PeerPresentMessage,
  type PingMessage,
  type PongMessage,
  type ReceivedMessage,
  type ReceivedPacketMessage,
  type ServerInfoMessage,
  type ServerRestartingMessage,
} from '../protocol/messages.ts'
export {
  type AddressFamilySelector,
  Client,
  type ClientOptions,
  type ConnectedState,
  createDnsCache,
  type DERPMap,
  type DERPNode,
  type DERPRegion,
  DerpMapError,
  type DnsCache,
  ErrClientClosed,
  type HealthTracker,
  netcheckClient,
  ProxyRefusedError,
  parseDerpMap,
  type ReceivedDetail,
  type RegionSource,
  type RegionTls,
  ResilientClient,
  type ResilientClientOptions,
  type TlsConnectionState,
  TlsFailedError,
  UpgradeRefusedError,
  type UrlDialer,
  type WatchLoopOptions,
} from './client.ts'
