/** The relay under examination, and what clients are promised of it. Pure. */

import { endpointOfUrl } from '../client/dial/relay-url.ts'
import { type DerpEndpoint, resolveEndpoint } from '../derpmap/endpoint.ts'
import type { DERPNode, DERPRegion } from '../derpmap/types.ts'
import { ipFamilyOf } from '../lib/address-port.ts'
import { STUN_PORT } from '../stun/constants.ts'

/** Port of plain HTTP. */
const PLAIN_PORT = 80

export interface RelayTarget {
  /** Such as `900a relay.example:443`. */
  readonly name: string
  readonly endpoint: DerpEndpoint
  /** Addresses are those of the endpoint unless stated; undefined means that the map rules STUN out. */
  readonly stun:
    | { readonly port: number; readonly address: string | undefined; readonly isPromised: boolean }
    | undefined
  /** Plain HTTP for captive portal detection. */
  readonly plainHttp: { readonly port: number; readonly isPromised: boolean }
  /** Whether a map states how to reach it; otherwise lack of IPv6, STUN and the like are warnings only. */
  readonly isFromMap: boolean
  /** It carries no packets. */
  readonly isStunOnly: boolean
  /** ID of its region, with a map. */
  readonly regionId: number | undefined
}

/** Ports other than the usual ones. */
export interface TargetPorts {
  readonly stun?: number | undefined
  readonly plainHttp?: number | undefined
}

/** A relay by its URL. @param sha256 pin of its certificate, in lower-case hex. */
export function targetOfUrl(url: URL, sha256?: string, ports: TargetPorts = {}): RelayTarget {
  const endpoint = endpointOfUrl(url)
  const name = endpoint.serverName
  return {
    name: hostPort(endpoint),
    endpoint: sha256 === undefined ? endpoint : { ...endpoint, certificate: { kind: 'pin', sha256, name } },
    stun: { port: ports.stun ?? STUN_PORT, address: undefined, isPromised: false },
    plainHttp: { port: ports.plainHttp ?? PLAIN_PORT, isPromised: false },
    isFromMap: false,
    isStunOnly: false,
    regionId: undefined,
  }
}

/** A node of a map. @throws DerpError for a field that cannot be used. */
export function targetOfNode(node: DERPNode, ports: TargetPorts = {}): RelayTarget {
  const endpoint = resolveEndpoint(node)
  const hasStun = node.STUNPort !== -1
  const address = node.STUNTestIP || undefined
  return {
    name: `${node.Name} ${hostPort(endpoint)}`.trim(),
    endpoint,
    stun: hasStun ? { port: node.STUNPort || STUN_PORT, address, isPromised: true } : undefined,
    plainHttp: { port: ports.plainHttp ?? PLAIN_PORT, isPromised: node.CanPort80 === true },
    isFromMap: true,
    isStunOnly: node.STUNOnly === true,
    regionId: node.RegionID,
  }
}

/** All nodes of a region. @throws DerpError as {@link targetOfNode}. */
export function targetsOfRegion(region: DERPRegion, ports?: TargetPorts): RelayTarget[] {
  return region.Nodes.map(node => targetOfNode(node, ports))
}

function hostPort({ host, port }: DerpEndpoint): string {
  return `${ipFamilyOf(host) === 6 ? `[${host}]` : host}:${port}`
}
