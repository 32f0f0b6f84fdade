/** What a DERP map says about a relay that is known by its address, for an operator to copy. */

import { createHash, type X509Certificate } from 'node:crypto'

/** Where the relay listens, where that is not where clients look by themselves. */
export interface MapNodePorts {
  readonly DERPPort?: number | undefined
  /** -1 for no STUN. */
  readonly STUNPort?: number | undefined
  readonly CanPort80?: boolean | undefined
}

/** Told once the relay listens. */
export type ReadMapNodePorts = () => MapNodePorts

/** Name and region are for the operator to choose. */
export interface MapNode extends MapNodePorts {
  readonly Name: string
  readonly RegionID: number
  readonly HostName: string
  /** The pin of a certificate that no authority vouches for (P-144). */
  readonly CertName?: string
}

/** The entry for an address, with the pin of `certificate` if there must be one. */
export function mapNode(address: string, certificate?: X509Certificate): MapNode {
  const node = { Name: 'custom', RegionID: 900, HostName: address }
  if (certificate === undefined) return node
  return { ...node, CertName: `sha256-raw:${createHash('sha256').update(certificate.raw).digest('hex')}` }
}
