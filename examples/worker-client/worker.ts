/** A Cloudflare worker that passes the body of a request to a peer, and answers with what the peer sends back. */

import { Client, MAX_PACKET_LENGTH, NodePrivateKey, NodePublicKey } from 'derphttp/browser'

interface Bindings {
  /** URL of the relay. */
  readonly RELAY: string
}

const TIMEOUT_MS = 5_000

function say(status: number, text: string): Response {
  return new Response(`${text}\n`, { status })
}

/** Sends one packet, and waits for one from the peer. */
async function ask(client: Client, peer: NodePublicKey, body: Uint8Array, signal: AbortSignal): Promise<Response> {
  await client.send(peer, body, signal)
  for (;;) {
    const message = await client.recv(signal)
    if (message.type !== 'receivedPacket' || !message.source.equals(peer)) continue
    return new Response(new Uint8Array(message.data))
  }
}

export default {
  async fetch(request: Request, { RELAY }: Bindings): Promise<Response> {
    if (request.method !== 'POST') return say(405, 'POST /nodekey:… with at most 64 KiB')
    const body = new Uint8Array(await request.arrayBuffer())
    if (body.length > MAX_PACKET_LENGTH) return say(413, `a packet has at most ${MAX_PACKET_LENGTH} bytes`)
    let peer: NodePublicKey
    try {
      peer = NodePublicKey.parse(new URL(request.url).pathname.slice(1))
    } catch (error) {
      return say(400, (error as Error).message)
    }
    // A worker may not use the connection of another request: each has its own, and its own key.
    const client = new Client(await NodePrivateKey.generate(), RELAY)
    const signal = AbortSignal.timeout(TIMEOUT_MS)
    try {
      return await ask(client, peer, body, signal)
    } catch (error) {
      if (signal.aborted) return say(504, `no answer within ${TIMEOUT_MS} ms`)
      return say(502, (error as Error).message)
    } finally {
      await client.close()
    }
  },
}
