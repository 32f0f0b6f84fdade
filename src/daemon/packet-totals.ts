/** Where the packets of a relay went, for the line that it ends with. Pure. */

import { DROP_REASONS } from '../metrics/drop-reason.ts'
import { FORWARD_DROP_REASONS } from '../metrics/mesh-counters.ts'
import type { MetricSnapshot } from '../status/snapshot.ts'

/** Of a relay at rest, what it received and got forwarded is as much as it sent, forwarded and dropped. */
export interface PacketTotals {
  readonly packetsReceived: number
  readonly packetsForwardedIn: number
  readonly packetsSent: number
  readonly packetsForwardedOut: number
  /** By reason; those that did not happen are left out. */
  readonly packetsDropped: Readonly<Record<string, number>>
  /** What became of the packets that were forwarded: those not written to the mesh peer, by reason. */
  readonly meshPacketsDropped: Readonly<Record<string, number>>
}

export function packetTotals({ relay, mesh = [] }: MetricSnapshot): PacketTotals {
  const { counters } = relay
  return {
    packetsReceived: counters.packetsReceivedDisco + counters.packetsReceivedOther,
    packetsForwardedIn: counters.packetsForwardedIn,
    packetsSent: counters.packetsSent,
    packetsForwardedOut: counters.packetsForwardedOut,
    packetsDropped: nonZero(DROP_REASONS, reason => {
      const { disco, other } = counters.dropped[reason]
      return disco.packets + other.packets
    }),
    meshPacketsDropped: nonZero(FORWARD_DROP_REASONS, reason =>
      mesh.reduce((sum, link) => sum + link.counters.dropped[reason].packets, 0),
    ),
  }
}

function nonZero<T extends string>(names: readonly T[], count: (name: T) => number): Record<string, number> {
  return Object.fromEntries(names.map(name => [name, count(name)] as const).filter(([, sum]) => sum > 0))
}
