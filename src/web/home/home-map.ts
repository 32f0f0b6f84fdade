/** The DERP map for this relay, as far as its page can tell. Pure. */

import type { DERPMap, DERPNode } from '../../derpmap/types.ts'
import { ipFamilyOf } from '../../lib/address-port.ts'
import { STUN_PORT } from '../../stun/constants.ts'

/** How clients reach the relay, from its settings. */
export interface HomeAddress {
  /** Of the certificate; empty without TLS. */
  readonly hostname: string
  /** Undefined for no STUN. */
  readonly stunPort: number | undefined
  /** Whether plain HTTP is served on port 80. */
  readonly canPort80: boolean
}

/** The address at which a visitor reached the relay. */
export interface VisitedAt {
  readonly host: string
  readonly port: number
  readonly isSecure: boolean
}

const REGION_ID = 900
const HTTPS_PORT = 443
const HTTP_PORT = 80

/** @param host header of a request. @returns undefined for one that names nothing. */
export function visitedAt(host: string, isSecure: boolean): VisitedAt | undefined {
  // Without a port, the scheme's default port is meant.
  const url = URL.parse(`${isSecure ? 'https' : 'http'}://${host}/`)
  if (url === null || url.hostname === '' || url.username !== '' || url.pathname !== '/') return undefined
  const port = url.port === '' ? (isSecure ? HTTPS_PORT : HTTP_PORT) : Number(url.port)
  return { host: url.hostname.replace(/^\[(.*)\]$/, '$1'), port, isSecure }
}

/** @param visited undefined if unknown. */
export function homeMap({ hostname, stunPort, canPort80 }: HomeAddress, visited: VisitedAt | undefined): DERPMap {
  const node: DERPNode = {
    Name: `${REGION_ID}a`,
    RegionID: REGION_ID,
    HostName: hostname === '' ? (visited?.host ?? '') : hostname,
    ...portOf(visited),
    ...(stunPort !== STUN_PORT && { STUNPort: stunPort ?? -1 }),
    ...(canPort80 && { CanPort80: true }),
  }
  const region = { RegionID: REGION_ID, RegionCode: 'custom', RegionName: 'Custom', Nodes: [node] }
  return { Regions: { [REGION_ID]: region } }
}

/** Plain HTTP on the default port is a proxy, which has TLS on its default port. */
function portOf(visited: VisitedAt | undefined): Pick<DERPNode, 'DERPPort'> {
  if (visited === undefined || visited.port === (visited.isSecure ? HTTPS_PORT : HTTP_PORT)) return {}
  return { DERPPort: visited.port }
}

/** What else clients need to know, in sentences. */
export function mapRemarks({ hostname }: HomeAddress, visited: VisitedAt | undefined): readonly string[] {
  const host = hostname === '' ? (visited?.host ?? '') : hostname
  if (visited?.isSecure === false) {
    return [
      'This page came over plain HTTP. Clients of a map use HTTPS: put TLS in front of the relay, or serve it with -tls.',
    ]
  }
  if (ipFamilyOf(host) === undefined) return []
  return [
    'A relay without a name may have a certificate that no authority has signed: clients then need its hash in the map, which “derp map make” adds.',
  ]
}
