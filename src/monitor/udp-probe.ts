/** Probes STUN at one address of a relay. */

import { ipFamilyOf } from '../lib/address-port.ts'
import type { MonitorPorts } from './ports.ts'
import type { ProbeClass } from './probe-class.ts'

/** Where STUN is asked. */
export interface StunPlace {
  readonly address: string
  readonly port: number
}

export function udpProbe(placeNow: () => StunPlace, { askStun }: Pick<MonitorPorts, 'askStun'>): ProbeClass {
  return {
    class: 'derp_udp',
    labels: { address_family: ipFamilyOf(placeNow().address) === 6 ? 'ipv6' : 'ipv4' },
    probe: async ({ signal, step }) => {
      const { address, port } = placeNow()
      step(`ask STUN at ${address} port ${port}`)
      await askStun(address, port, signal)
      return []
    },
  }
}
