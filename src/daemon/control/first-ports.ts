/** Settings of a `derper` that takes over: a port that they leave open is that of the first one. Pure. */

import type { DaemonSettings } from '../settings.ts'
import type { BoundPorts } from './control-message.ts'

export function withPortsOf(ports: BoundPorts, settings: DaemonSettings): DaemonSettings {
  const { listen, tls, stun, metrics } = settings
  const { address } = listen
  const portOf = (wanted: number, first: number | undefined) => (wanted === 0 ? (first ?? 0) : wanted)
  return {
    ...settings,
    listen: { ...listen, address: { ...address, port: portOf(address.port, ports.main) } },
    tls: tls && { ...tls, httpPort: tls.httpPort === undefined ? undefined : portOf(tls.httpPort, ports.http) },
    stun: stun && { ...stun, port: portOf(stun.port, ports.stun) },
    metrics: metrics && {
      ...metrics,
      address: { ...metrics.address, port: portOf(metrics.address.port, ports.metrics) },
    },
  }
}
