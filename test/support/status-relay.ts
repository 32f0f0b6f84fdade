/** A relay on loopback with its status page, and clients for it. */

import { WebPrivateKey } from '../../src/keys/web-key.ts'
import { memoryConnPair } from '../../src/transport/memory-conn.ts'
import { createStatusPages } from '../../src/web/status/status-pages.ts'
import { ListeningRelay, type ListeningRelayOptions } from './listening-relay.ts'
import { RawClient } from './raw-client.ts'

export interface StatusRelayOptions extends ListeningRelayOptions {
  /** Opens the page to bearers. */
  readonly token?: () => string | undefined
}

export function startStatusRelay({
  token = () => undefined,
  ...options
}: StatusRelayOptions = {}): Promise<ListeningRelay> {
  return ListeningRelay.start({
    ...options,
    pages: (shown, allows) => createStatusPages({ ...shown, allows, readToken: token }),
  })
}

/** Connects a client in memory, with an address of documentation. */
export async function joinInMemory(relay: ListeningRelay, at: number, appName?: string): Promise<RawClient> {
  const [client, server] = memoryConnPair({
    clientAddress: { address: `198.51.100.${at % 250}`, port: 1_024 + at },
    serverAddress: { address: '192.0.2.1', port: 443 },
  })
  relay.relay.accept(server)
  // Where the platform computes the curve, ten thousand keys take a fifth of the time.
  const privateKey = await WebPrivateKey.generate()
  return RawClient.login(client, { privateKey, info: appName === undefined ? {} : { appName } })
}
