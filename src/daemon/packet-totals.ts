/** Packet totals for the daemon's last log line. Pure. */

import { DROP_REASONS } from '../metrics/drop-reason.ts'
import { FORWARD_DROP_REASONS } from '../metrics/mesh-counters.ts'
import type { MetricSnapshot } from '../status/snapshot.ts'

/** In an idle relay, received plus forwarded-in equals sent plus forwarded-out plus dropped. */
export interface PacketTotals {
  readonly packetsReceived: number
  readonly packetsForwardedIn: number
  readonly packetsSent: number
  readonly packetsForwardedOut: number
  /** By reason; zeros are left out. */
  readonly packetsDropped: Readonly<Record<string, number>>
  /** Forwarded packets that were not written to the mesh peer or relay of the region, by reason; zeros are left out. */
  readonly meshPacketsDropped: Readonly<Record<string, number>>
}

export function packetTotals({ relay, mesh = [], region }: MetricSnapshot): PacketTotals {
  const { counters } = relay
  const links = [...mesh.map(link => link.counters), ...(region === undefined ? [] : [region.links])]
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
      links.reduce((sum, { dropped }) => sum + dropped[reason].packets, 0),
    ),
  }
}

function nonZero<T extends string>(names: readonly T[], count: (name: T) => number): Record<string, number> {
  return Object.fromEntries(names.map(name => [name, count(name)] as const).filter(([, sum]) => sum > 0))
}
