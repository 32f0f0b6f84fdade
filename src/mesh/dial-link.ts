/**
 * Opens connections to other relays of a region, each for one link.
 *
 * Clause: P-319.
 */

import { linkOf } from '../client/client.ts'
import { NodeClient } from '../client/node/node-client.ts'
import type { NodePublicKey } from '../keys/node-key.ts'
import { DerpError } from '../lib/derp-error.ts'
import type { ReceivedMessage } from '../protocol/messages.ts'
import type { ForwardCarrier } from './forward-sender.ts'
import type { MeshOptions, MeshOwner } from './mesh.ts'

/** A connection to another relay, which has let this one in. */
export interface LinkConnection extends ForwardCarrier {
  /** The other relay's key. */
  readonly serverKey: NodePublicKey
  /** The next message; rejects when the connection has ended. */
  recv(): Promise<ReceivedMessage>
  /** Sends a Ping of eight bytes. */
  sendPing(payload: Uint8Array): Promise<void>
  close(): void
}

/** Connects to a relay by its URL and logs in with the mesh key. */
export type DialLink = (url: string, signal: AbortSignal) => Promise<LinkConnection>

/** Connects with the key and the mesh key of `owner`. */
export function linkDialer(owner: Pick<MeshOwner, 'options'>, options: MeshOptions): DialLink {
  const { privateKey, meshKey, clock, log } = owner.options
  const { tlsConfig, proxyEnv } = options
  return async (url, signal) => {
    const client = new NodeClient(privateKey, url, { meshKey, clock, log, tlsConfig, proxyEnv })
    try {
      await client.connect(signal)
      // Only ServerInfo says that the relay has let this one in.
      while ((await client.recv(signal)).type !== 'serverInfo');
    } catch (error) {
      await client[Symbol.asyncDispose]()
      throw error
    }
    const derp = linkOf(client)?.derp
    if (derp === undefined) throw new DerpError('ERR_DERP_CONN_CLOSED', `open link to ${url}: the connection has ended`)
    return derp
  }
}
