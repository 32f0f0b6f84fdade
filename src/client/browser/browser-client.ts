/** The client for pages: needs only a key and a server. */

import { portableAgreement } from '../../keys/portable-box.ts'
import type { PrivateKey } from '../../keys/private-key.ts'
import { Client } from '../client.ts'
import type { RegionSource } from '../connector.ts'
import type { ClientOptions } from '../options.ts'
import { pageClock } from './page-clock.ts'
import { WebSocketTransport, type WebSocketTransportOptions } from './websocket-transport.ts'

/** Options of a {@link BrowserClient}: those of any client, and those of its WebSockets. */
export interface BrowserClientOptions extends Partial<ClientOptions>, WebSocketTransportOptions {}

/**
 * A client that connects to relays over WebSocket.
 *
 * @example
 * ```ts
 * const client = new Client(await NodePrivateKey.generate(), 'https://relay.example/derp')
 * await client.send(NodePublicKey.parse('nodekey:…'), bytes)
 * for await (const message of client) console.log(message.type)
 * ```
 */
export class BrowserClient extends Client {
  /**
   * Opens nothing yet.
   *
   * @param server the relay's http or https URL. For a region use `RegionClient`.
   * @param options those of the WebSockets only apply if no `transport` is given.
   * @throws DerpError for an unusable URL, key or option.
   */
  constructor(privateKey: PrivateKey, server: string | URL | RegionSource, options: BrowserClientOptions = {}) {
    const { clock = pageClock } = options
    super(privateKey, server, {
      ...options,
      clock,
      transport: options.transport ?? new WebSocketTransport(options),
      agreement: options.agreement ?? portableAgreement,
    })
  }
}
