/** Probes a path: one small packet from a client of one relay to a client of another, or of the same. */

import { type NodePair, type PairPorts, pathLabel, withPair } from './node-pair.ts'
import type { ProbeClass } from './probe-class.ts'

export function meshProbe(pairNow: () => NodePair, ports: PairPorts): ProbeClass {
  const { from, to } = pairNow()
  return {
    class: 'derp_mesh',
    labels: pathLabel(from.Name, to.Name),
    probe: context => withPair(pairNow(), { ports, context, isProber: true }, async () => []),
  }
}
