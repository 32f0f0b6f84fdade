/** The ports that a DERP map must name. Pure. */

import { STUN_PORT } from '../stun/constants.ts'
import type { MapNodePorts } from '../tls/map-node.ts'

interface Bound {
  readonly port: number
  readonly httpPort: number | undefined
  readonly stunPort: number | undefined
}

/** Only ports that differ from the defaults of the DERP map. */
export function mapNodePorts({ port, httpPort, stunPort }: Bound): MapNodePorts {
  return {
    ...(port !== 443 && { DERPPort: port }),
    ...(stunPort !== STUN_PORT && { STUNPort: stunPort ?? -1 }),
    ...(httpPort === 80 && { CanPort80: true }),
  }
}
