/** What a case of the suite for `derphttp/browser` is; it may use web APIs only, and runs in any runtime. */

import { Client, type ClientOptions, NodePrivateKey, type ReceivedMessage } from '../../../src/entries/browser.ts'

/** What a case runs against. */
export interface CaseEnvironment {
  /** The relay's DERP endpoint, without TLS. */
  readonly url: string
  /** The same through a proxy that spoils connections. */
  readonly proxiedUrl: string
  /** Where that proxy takes orders; see `proxy-control.ts`. */
  readonly controlUrl: string
}

/** A test by its behaviour: it rejects if that is missing. */
export interface ClientCase {
  readonly name: string
  run(environment: CaseEnvironment): Promise<void>
}

/** @throws Error unless both are the same as JSON. */
export function assertSame(actual: unknown, expected: unknown, what: string): void {
  const [got, wanted] = [JSON.stringify(actual), JSON.stringify(expected)]
  if (got !== wanted) throw new Error(`${what}: ${got} instead of ${wanted}`)
}

/** @throws Error unless `holds`. */
export function assert(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(what)
}

/** The code and message that `promise` is rejected with. @throws Error if it is not. */
export async function rejectionOf(promise: Promise<unknown>): Promise<{ code?: string; message: string }> {
  try {
    await promise
  } catch (error) {
    return error as Error & { code?: string }
  }
  throw new Error('a promise was resolved that was to be rejected')
}

/** A client that the relay has let in. */
export async function readyClient(url: string, options: ClientOptions = {}): Promise<Client> {
  const client = new Client(await NodePrivateKey.generate(), url, options)
  await nextMessage(client, 'serverInfo')
  return client
}

/** The next message that is of `type`; others are passed over. */
export async function nextMessage<T extends ReceivedMessage['type']>(
  client: { recv(): Promise<ReceivedMessage> },
  type: T,
): Promise<Extract<ReceivedMessage, { type: T }>> {
  for (;;) {
    const message = await client.recv()
    if (message.type === type) return message as Extract<ReceivedMessage, { type: T }>
  }
}

/** Gives an order to the proxy, such as `spoil?fault=cut`; resolves to the connections that it has taken so far. */
export async function tellProxy({ controlUrl }: CaseEnvironment, order: string): Promise<number> {
  const response = await fetch(`${controlUrl}/${order}`, { method: 'POST' })
  return Number(await response.text())
}
