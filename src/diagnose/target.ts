/** The relay to diagnose, and what the map promises clients. Pure. */

import { endpointOfUrl } from '../client/dial/relay-url.ts'
import { type DerpEndpoint, resolveEndpoint } from '../derpmap/endpoint.ts'
import type { DERPNode, DERPRegion } from '../derpmap/types.ts'
import { ipFamilyOf } from '../lib/address-port.ts'
import { STUN_PORT } from '../stun/constants.ts'

/** Port of plain HTTP. */
const PLAIN_PORT = 80

export interface RelayTarget {
  /** For example `900a relay.example:443`. */
  readonly name: string
  readonly endpoint: DerpEndpoint
  /** The endpoint's addresses are used by default; undefined if the map says that there is no STUN. */
  readonly stun:
    | { readonly port: number; readonly address: string | undefined; readonly isPromised: boolean }
    | undefined
  /** Plain HTTP for captive portal detection; undefined if the relay has nothing else. */
  readonly plainHttp: { readonly port: number; readonly isPromised: boolean } | undefined
  /** Whether it is a node of a map; otherwise missing IPv6, STUN and so on are only warnings. */
  readonly isFromMap: boolean
  /** It does not relay packets. */
  readonly isStunOnly: boolean
  /** ID of its region, if it is a node of a map. */
  readonly regionId: number | undefined
}

/** Ports other than the default ones. */
export interface TargetPorts {
  readonly stun?: number | undefined
  readonly plainHttp?: number | undefined
}

/** A relay given by URL. @param pin SHA-256 of its certificate, in lower-case hex. */
export function targetOfUrl(url: URL, pin?: string, ports: TargetPorts = {}): RelayTarget {
  const endpoint = endpointOfUrl(url, { pin })
  const isPlain = url.protocol === 'http:' && ports.plainHttp === undefined
  return {
    name: hostPort(endpoint),
    endpoint,
    stun: { port: ports.stun ?? STUN_PORT, address: undefined, isPromised: false },
    plainHttp: isPlain ? undefined : { port: ports.plainHttp ?? PLAIN_PORT, isPromised: false },
    isFromMap: false,
    isStunOnly: false,
    regionId: undefined,
  }
}

/** A node of a map. @throws DerpError for an invalid field. */
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
