/** Clients of relays, by URL. */

import { NodeClient } from '../../src/client/node/node-client.ts'
import { NodePrivateKey } from '../../src/keys/node-key.ts'
import { nextMessage } from './relay.ts'

/** A client that its relay knows. */
export async function loginAt(
  url: string,
  privateKey: NodePrivateKey = NodePrivateKey.generate(),
): Promise<NodeClient> {
  const client = new NodeClient(privateKey, url)
  await nextMessage(client, 'serverInfo')
  return client
}

/** Two clients exchange a packet each way. @throws Error if a packet of another one comes. */
export async function exchange(a: NodeClient, b: NodeClient): Promise<void> {
  for (const [from, to] of [
    [a, b],
    [b, a],
  ] as const) {
    await from.send(to.selfPublicKey(), Uint8Array.of(7))
    const { source } = await nextMessage(to, 'receivedPacket')
    if (!source.equals(from.selfPublicKey())) throw new Error(`receive packet: it came from ${source}`)
  }
}

/** A new client of each relay exchanges packets with the other. */
export async function exchangeBetween(url: string, otherUrl: string): Promise<void> {
  const clients = [await loginAt(url), await loginAt(otherUrl)] as const
  try {
    await exchange(...clients)
  } finally {
    for (const client of clients) await client.close()
  }
}
