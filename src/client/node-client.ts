/** The client as users of Node have it: nothing to be set but key and URL. */

import { nodeAgreement } from '../keys/node-box.ts'
import type { NodePrivateKey } from '../keys/node-key.ts'
import { Client } from './client.ts'
import { createNodeTransport, type NodeTransportOptions } from './node-dial.ts'
import type { ClientOptions } from './options.ts'

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
  /** @param options `tlsConfig` is for the transport made here, not for one that is given. */
  constructor(privateKey: NodePrivateKey, serverUrl: string | URL, options: NodeClientOptions = {}) {
    super(privateKey, serverUrl, {
      ...options,
      transport: options.transport ?? createNodeTransport(options),
      agreement: options.agreement ?? nodeAgreement,
    })
  }
}
