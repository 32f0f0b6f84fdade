/** Watching who is connected to a relay, apart from the client: most clients never do. */

import { type Client, watchPortsOf } from './client.ts'
import { WatchLoop, type WatchLoopOptions } from './watch-loop.ts'

/**
 * Follows which clients are connected to the relay, reconnecting as needed, until `signal` is aborted or the client is
 * closed; in both cases all known peers are reported as gone. Ends at once if the relay has the key to ignore.
 * The loop receives all messages itself: there must be no other receiver.
 *
 * @throws TypeError if the client is already in use without `watchConnectionChanges`.
 * @example
 * ```ts
 * const client = new Client(privateKey, url, { meshKey: MeshKey.parse('5'.repeat(64)) })
 * await watchConnections(client, {
 *   add: ({ peer }) => console.log('connected', `${peer}`),
 *   remove: ({ peer }) => console.log('gone', `${peer}`),
 *   signal,
 * })
 * ```
 */
export async function watchConnections(client: Client, options: WatchLoopOptions): Promise<void> {
  const ports = watchPortsOf(client)
  if (!client.watchConnectionChanges && ports.isStarted) {
    throw new TypeError('watch connections of a client in use: watchConnectionChanges was not set before')
  }
  client.watchConnectionChanges = true
  await new WatchLoop(client, ports, options).run()
}
