/** What watchers and receivers are told of one key, for cases that share the relay with others. */

import type { NodePublicKey } from '../../src/keys/node-key.ts'
import type { PeerGoneMessage, PeerPresentMessage, ServerToClient } from '../../src/protocol/messages.ts'
import type { RawClient } from '../support/raw-client.ts'
import type { Target } from './target.ts'

/** A change of presence. */
export type News = PeerPresentMessage | PeerGoneMessage

/** Those of `messages` that tell of `keys`. */
export function newsOf(messages: readonly ServerToClient[], ...keys: readonly NodePublicKey[]): News[] {
  return messages.filter((message): message is News => isNews(message) && keys.some(key => key.equals(message.peer)))
}

/** The next news of `key`; whatever else comes is thrown away. */
export async function nextNews(client: RawClient, key: NodePublicKey): Promise<News> {
  for (;;) {
    const message = await client.message()
    if (isNews(message) && message.peer.equals(key)) return message
  }
}

/**
 * All that comes until the relay has caught up.
 *
 * The original tells of presence from other goroutines than the one that answers pings: what is late for the first
 * answer comes before the second.
 */
export async function caughtUp(client: RawClient): Promise<ServerToClient[]> {
  return [...(await client.sync()), ...(await client.sync())]
}

/** A mesh peer that watches; the flood has come. */
export async function watch(target: Target): Promise<RawClient> {
  const watcher = await target.mesh()
  watcher.send({ type: 'watchConns' })
  await nextNews(watcher, watcher.publicKey)
  await caughtUp(watcher)
  return watcher
}

/** Ends a connection once all that was sent has left; the relay notices a little later. */
export async function depart(client: RawClient): Promise<void> {
  await client.flushed()
  client.conn.end()
  await client.closed()
}

function isNews(message: ServerToClient): message is News {
  return message.type === 'peerPresent' || message.type === 'peerGone'
}
