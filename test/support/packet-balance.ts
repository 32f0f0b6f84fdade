/** Whether the counters of relays explain every lost packet of their clients. */

import { setTimeout as delay } from 'node:timers/promises'
import { PATIENCE_MS } from './patience.ts'
import type { RawClient } from './raw-client.ts'

/** Packets of a relay, from its counters. */
export interface PacketCounts {
  /** From its clients, and to them. */
  readonly received: number
  readonly sent: number
  /** From links, and to them. */
  readonly forwardedIn: number
  readonly forwardedOut: number
  /** Dropped before, and on, links, for all reasons. */
  readonly dropped: number
  readonly droppedOnLinks: number
}

/** What became of the clients' packets. */
export interface Balance {
  readonly sent: number
  readonly delivered: number
  /** Dropped and counted by a relay. */
  readonly dropped: number
  /** Counted as forwarded, but the link broke, or the other relay died, before they arrived. */
  readonly lostOnLinks: number
}

/**
 * Resolves once every packet of the clients is explained: delivered, dropped and counted, or lost on a link.
 *
 * @param read returns the counts of all relays; of one that was killed, the last that it had.
 */
export async function untilBalanced(
  clients: readonly RawClient[],
  read: () => Promise<readonly PacketCounts[]>,
): Promise<Balance> {
  const giveUpAtMs = performance.now() + PATIENCE_MS
  for (;;) {
    const counts = await read()
    const sum = (of: (count: PacketCounts) => number) => counts.reduce((total, count) => total + of(count), 0)
    const sent = clients.reduce((total, { packetsSent }) => total + packetsSent, 0)
    const delivered = clients.reduce((total, { packetsReceived }) => total + packetsReceived, 0)
    const dropped = sum(count => count.dropped + count.droppedOnLinks)
    const lostOnLinks = sum(count => count.forwardedOut - count.droppedOnLinks - count.forwardedIn)
    const isEven = counts.every(isBalanced) && sum(({ received }) => received) === sent
    if (isEven && lostOnLinks >= 0 && sent === delivered + dropped + lostOnLinks)
      return { sent, delivered, dropped, lostOnLinks }
    if (performance.now() > giveUpAtMs)
      throw new Error(`explain packets: ${sent} sent, ${delivered} delivered, of ${JSON.stringify(counts)}`)
    await delay(20)
  }
}

/** What came in went out, or was dropped. */
function isBalanced({ received, forwardedIn, sent, forwardedOut, dropped }: PacketCounts): boolean {
  return received + forwardedIn === sent + forwardedOut + dropped
}
