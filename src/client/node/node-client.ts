/**
 * The client as users of Node have it: nothing to be set but key and server.
 *
 * Clauses: P-220, P-221, P-226.
 */

import type { ConnectionOptions } from 'node:tls'
import type { DERPRegion } from '../../derpmap/types.ts'
import { nodeAgreement } from '../../keys/node-box.ts'
import type { NodePrivateKey } from '../../keys/node-key.ts'
import { Client } from '../client.ts'
import type { RegionSource } from '../connector.ts'
import type { DnsCache } from '../dial/dns-cache.ts'
import type { ClientOptions } from '../options.ts'
import type { AddressFamilySelector } from '../ports.ts'
import { NodeTransport } from './node-dial.ts'
import type { NodeTransportOptions, RegionTls, UrlDialer } from './node-dial-options.ts'

/** Options of a {@link NodeClient}: those of any client, and those of Node's transport. */
export interface NodeClientOptions extends Partial<ClientOptions>, NodeTransportOptions {}

/**
 * A client that dials relays over TCP and TLS.
 *
 * ```ts
 * const client = new Client(NodePrivateKey.generate(), 'https://relay.example/derp')
 * await client.send(NodePublicKey.parse('nodekey:…'), bytes)
 * for await (const message of client) console.log(message.type)
 * ```
 */
export class NodeClient extends Client {
  readonly #transport: NodeTransport

  /** @param options those of Node's transport are for the one made here, not for a `transport` that is given. */
  constructor(privateKey: NodePrivateKey, server: string | URL | RegionSource, options: NodeClientOptions = {}) {
    const transport = new NodeTransport(options)
    super(privateKey, server, {
      ...options,
      transport: options.transport ?? transport,
      agreement: options.agreement ?? nodeAgreement,
    })
    this.#transport = transport
  }

  /**
   * A client of a region: it connects to the first of its relays that answers.
   *
   * @param getRegion asked at each attempt to connect, so that the region may change or be missing for a while.
   */
  static forRegion(privateKey: NodePrivateKey, getRegion: RegionSource, options: NodeClientOptions = {}): NodeClient {
    return new NodeClient(privateKey, getRegion, options)
  }

  /** Settings of TLS, from the next connection on; to be replaced as a whole. */
  get tlsConfig(): ConnectionOptions {
    return this.#transport.tlsConfig
  }

  set tlsConfig(config: ConnectionOptions) {
    this.#transport.tlsConfig = config
  }

  /** Remembers addresses of hosts, from the next dial on; undefined asks the system each time. */
  get dnsCache(): DnsCache | undefined {
    return this.#transport.dnsCache
  }

  set dnsCache(cache: DnsCache | undefined) {
    this.#transport.dnsCache = cache
  }

  /** What opens connections in the place of TCP, if this is a client of a URL; undefined means TCP again. */
  setUrlDialer(dialer: UrlDialer | undefined): void {
    this.#transport.setUrlDialer(dialer)
  }

  /** Decides whether IPv6 gets a head start, from the next dial on. */
  setAddressFamilySelector(selector: AddressFamilySelector): void {
    this.#transport.setAddressFamilySelector(selector)
  }

  /** Connects to a node of a region, does the TLS handshake and stops there. Leaves the client's own connection alone. */
  dialRegionTls(region: DERPRegion, signal?: AbortSignal): Promise<RegionTls> {
    return this.#transport.dialRegionTls(region, signal)
  }
}
