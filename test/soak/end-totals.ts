/** Whether a relay that has ended accounts for each packet, by the last line of its log. */

import type { PacketTotals } from '../../src/daemon/packet-totals.ts'

const sumOf = (counts: Readonly<Record<string, number>>) => Object.values(counts).reduce((sum, each) => sum + each, 0)

/** Packets that came in and are in no other count; below zero if some are in two. */
export function unaccounted(totals: PacketTotals): number {
  const { packetsReceived, packetsForwardedIn, packetsSent, packetsForwardedOut, packetsDropped } = totals
  return packetsReceived + packetsForwardedIn - packetsSent - packetsForwardedOut - sumOf(packetsDropped)
}

/** Packets that one relay of two gave to its link and the other did not get, beyond the counted ones. */
export function lostBetween(from: PacketTotals, to: PacketTotals): number {
  return from.packetsForwardedOut - sumOf(from.meshPacketsDropped) - to.packetsForwardedIn
}

/** @throws Error if the relay has not said them. */
export function endTotals(log: string): PacketTotals {
  const line = log.split('\n').findLast(each => each.includes('"msg":"drain ended"'))
  if (line === undefined) throw new Error(`read totals of the relay: none in its log: ${log.slice(-2_000)}`)
  return JSON.parse(line) as PacketTotals
}
