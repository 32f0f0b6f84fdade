/** Makes the probe function for what a plan names. */

import type { DERPNode } from '../derpmap/types.ts'
import type { Slots } from '../lib/slots.ts'
import { STUN_PORT } from '../stun/constants.ts'
import { bandwidthProbe } from './bandwidth-probe.ts'
import { meshProbe } from './mesh-probe.ts'
import type { MonitorPorts } from './ports.ts'
import type { ProbeClass } from './probe-class.ts'
import type { ProbeKinds, WantedProbe } from './probe-plan.ts'
import { queueDelayProbe } from './queue-delay-probe.ts'
import { tlsProbe } from './tls-probe.ts'
import { udpProbe } from './udp-probe.ts'

export interface ProbeMaking {
  readonly ports: MonitorPorts
  readonly kinds: Pick<ProbeKinds, 'bandwidth' | 'queueDelay'>
  /** The node as it is now, by name. */
  readonly node: (name: string) => DERPNode
  /** Bounds the probes that log in; with fixed keys only one may be connected at a time. */
  readonly logins: Slots | undefined
}

export function probeClassOf({ subject }: WantedProbe, { ports, kinds, node, logins }: ProbeMaking): ProbeClass {
  if (subject.kind === 'tls') return tlsProbe(() => node(subject.node), ports)
  if (subject.kind === 'udp') {
    const place = () => {
      const { [subject.family]: address = '', STUNPort } = node(subject.node)
      return { address, port: STUNPort || STUN_PORT }
    }
    return udpProbe(place, ports)
  }
  const pair = () => ({ from: node(subject.from), to: node(subject.to) })
  return { ...pairClass(subject.kind, pair, kinds, ports), slots: logins }
}

function pairClass(
  kind: 'mesh' | 'bw' | 'qd',
  pair: () => { readonly from: DERPNode; readonly to: DERPNode },
  { bandwidth, queueDelay }: ProbeMaking['kinds'],
  ports: MonitorPorts,
): ProbeClass {
  if (kind === 'bw' && bandwidth !== undefined) return bandwidthProbe(pair, bandwidth.sizeBytes, ports)
  if (kind === 'qd' && queueDelay !== undefined) return queueDelayProbe(pair, queueDelay, ports)
  return meshProbe(pair, ports)
}
