/** A resilient client whose states a test can read later. */

import { Client, NodePrivateKey, ResilientClient, type ResilientClientOptions } from '../../../src/entries/browser.ts'

/** What has become of the client. */
export interface WatchedClient {
  /** All states so far, each with its reason. */
  readonly states: readonly string[]
  /** What jitter is made of. It begins far above 1, so that no wait ends by itself. */
  random: number
}

/** Connects to `url` and stays connected as long as the page lives. */
export async function watchedClient(
  url: string,
  numbers: Partial<Omit<ResilientClientOptions<string>, 'targets' | 'createClient'>> = {},
): Promise<WatchedClient> {
  const key = await NodePrivateKey.generate()
  const states: string[] = []
  const watched: WatchedClient = { states, random: 1_000_000 }
  const createClient = (at: string) => new Client(key, at)
  const random = () => watched.random
  const client = new ResilientClient({ ...numbers, random, targets: [url], createClient })
  client.events.on('state', ({ state, reason }) => states.push(`${state} ${reason}`))
  await client.connect()
  // Pongs arrive as messages.
  void receiveAll(client)
  return watched
}

async function receiveAll(client: ResilientClient<string>): Promise<void> {
  for await (const _ of client);
}
