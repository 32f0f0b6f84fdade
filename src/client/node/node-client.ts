/**
 * The client for Node users: needs only a key and a server.
 *
 * Clauses: P-220, P-221, P-226.
 */

import type { ConnectionOptions } from 'node:tls'
import type { DERPRegion } from '../../derpmap/types.ts'
import { nodeAgreement } from '../../keys/node-box.ts'
import type { PrivateKey } from '../../keys/private-key.ts'
import { Client } from '../client.ts'
import type { RegionSource } from '../connector.ts'
import type { DnsCache } from '../dial/dns-cache.ts'
import type { ClientOptions } from '../options.ts'
import type { AddressFamilySelector } from '../ports.ts'
import { watchConnections } from '../watch-connections.ts'
import type { WatchLoopOptions } from '../watch-loop.ts'
import { NodeTransport } from './node-dial.ts'
import type { NodeTransportOptions, RegionTls, UrlDialer } from './node-dial-options.ts'

/** Options of a {@link NodeClient}: those of any client, and those of Node's transport. */
export interface NodeClientOptions extends Partial<ClientOptions>, NodeTransportOptions {}

/**
 * A client that dials relays over TCP and TLS.
 *
 * @example
 * ```ts
 * const client = new Client(NodePrivateKey.generate(), 'https://relay.example/derp')
 * await client.send(NodePublicKey.parse('nodekey:…'), bytes)
 * for await (const message of client) console.log(message.type)
 * ```
 */
export class NodeClient extends Client {
  readonly #transport: NodeTransport

  /**
   * Opens nothing yet.
   *
   * @param server the relay's http or https URL, or a function that gives the region at each connection attempt.
   * @param options those of the transport only apply if no `transport` is given.
   * @throws DerpError for an unusable URL, key, option or proxy.
   */
  constructor(privateKey: PrivateKey, server: string | URL | RegionSource, options: NodeClientOptions = {}) {
    const transport = new NodeTransport(options)
    super(privateKey, server, {
      ...options,
      transport: options.transport ?? transport,
      agreement: options.agreement ?? nodeAgreement,
    })
    this.#transport = transport
  }

  /**
   * A client of a region: it connects to the first of its relays that is reachable. Each gets 1.5 s to connect, DNS
   * included.
   *
   * @param getRegion called at each connection attempt, so that the region may change or be missing for a while.
   */
  static forRegion(privateKey: PrivateKey, getRegion: RegionSource, options: NodeClientOptions = {}): NodeClient {
    return new NodeClient(privateKey, getRegion, options)
  }

  /**
   * Follows which clients are connected to the relay, reconnecting as needed, until `signal` is aborted or the client is
   * closed; in both cases all known peers are reported as gone. Ends at once if the relay has the key to ignore.
   * The loop receives all messages itself: there must be no other receiver.
   *
   * @throws TypeError if this client is already in use without {@link watchConnectionChanges}.
   */
  runWatchConnectionLoop(options: WatchLoopOptions): Promise<void> {
    return watchConnections(this, options)
  }

  /** TLS settings, from the next connection on; replace as a whole. */
  get tlsConfig(): ConnectionOptions {
    return this.#transport.tlsConfig
  }

  set tlsConfig(config: ConnectionOptions) {
    this.#transport.tlsConfig = config
  }

  /** DNS cache, from the next dial on; undefined asks the system each time. */
  get dnsCache(): DnsCache | undefined {
    return this.#transport.dnsCache
  }

  set dnsCache(cache: DnsCache | undefined) {
    this.#transport.dnsCache = cache
  }

  /** Opens connections instead of TCP, for a client of a URL; undefined restores TCP. */
  setUrlDialer(dialer: UrlDialer | undefined): void {
    this.#transport.setUrlDialer(dialer)
  }

  /** Decides whether IPv6 gets a head start, from the next dial on. */
  setAddressFamilySelector(selector: AddressFamilySelector): void {
    this.#transport.setAddressFamilySelector(selector)
  }

  /**
   * Dials a node of a region, completes the TLS handshake and stops there, within 10 s. The caller closes it. Does not
   * affect the client's own connection.
   */
  dialRegionTls(region: DERPRegion, signal?: AbortSignal): Promise<RegionTls> {
    return this.#transport.dialRegionTls(region, signal)
  }
}
