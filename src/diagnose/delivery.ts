/** Sends a packet from a client of one relay to a client of another. */

import type { DerpClient } from '../client/derp-client.ts'
import type { NodePublicKey } from '../keys/public-key.ts'
import { equalBytes } from '../lib/bytes.ts'
import { sleep } from '../lib/sleep.ts'
import { openClient, type Reachable } from './connect.ts'
import { type Examination, StepTimeoutError, withinLimit } from './step.ts'
import { messageOf } from './verdict.ts'

export interface Way {
  readonly from: Reachable
  readonly to: Reachable
  /** Both have the same name, but the clients must reach different relays. */
  readonly mustDiffer?: boolean
}

export type Delivery =
  | { readonly outcome: 'delivered'; readonly ms: number }
  /** The relay reports that the peer is not there, or nothing arrives. */
  | { readonly outcome: 'lost' }
  /** One of the relays could not be used. */
  | { readonly outcome: 'unusable'; readonly reason: string }

/** Attempts to connect to two different relays behind one name. */
const MAX_ATTEMPTS = 10
/** Share of a step's time in which mesh peers must learn of a new client. */
const ANNOUNCE_SHARE = 0.4
/** Milliseconds between packets: the first may be sent too early. */
const RETRY_MS = 200
const PACKET_BYTES = 32

export async function deliver(examination: Examination, way: Way, signal: AbortSignal): Promise<Delivery> {
  const opened: DerpClient[] = []
  try {
    const [from, to] = await openPair(examination, way, opened, signal)
    return await send(examination, from, to, signal)
  } catch (error) {
    if (signal.aborted) throw error
    return { outcome: 'unusable', reason: messageOf(error) }
  } finally {
    for (const client of opened) client.close()
  }
}

interface End {
  readonly client: DerpClient
  readonly key: NodePublicKey
}

async function openPair(
  { platform, options }: Examination,
  { from, to, mustDiffer = false }: Way,
  opened: DerpClient[],
  signal: AbortSignal,
): Promise<[End, End]> {
  const open = async (relay: Reachable, given: 'privateKey' | 'peerKey'): Promise<End> => {
    const privateKey = options[given] ?? (await platform.generateKey())
    const client = await openClient(relay, privateKey, signal)
    opened.push(client)
    return { client, key: privateKey.publicKey() }
  }
  const first = await open(from, 'privateKey')
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const second = await open(to, 'peerKey')
    if (!mustDiffer || !second.client.serverKey.equals(first.client.serverKey)) return [first, second]
    second.client.close()
  }
  throw new Error('all connections reach one relay')
}

/** Resends the packet until it arrives: mesh peers need a moment to learn of a new client. */
async function send(examination: Examination, from: End, to: End, signal: AbortSignal): Promise<Delivery> {
  const { clock } = examination.platform
  const data = crypto.getRandomValues(new Uint8Array(PACKET_BYTES))
  const work = async (stop: AbortSignal): Promise<Delivery> => {
    let sentMs = clock.now()
    let hasArrived = false
    const sending = async () => {
      while (!hasArrived && !stop.aborted) {
        sentMs = clock.now()
        await from.client.send(to.key, data, stop)
        await sleep(clock, RETRY_MS, stop)
      }
    }
    const sent = sending()
    sent.catch(() => {})
    for (;;) {
      const message = await to.client.recv(stop)
      if (message.type !== 'receivedPacket' || !equalBytes(message.data, data)) continue
      hasArrived = true
      return { outcome: 'delivered', ms: clock.now() - sentMs }
    }
  }
  try {
    return await withinLimit(examination, work, signal, examination.options.timeoutMs * ANNOUNCE_SHARE)
  } catch (error) {
    if (error instanceof StepTimeoutError) return { outcome: 'lost' }
    throw error
  }
}
