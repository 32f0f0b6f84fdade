/** The DERP map entry of a relay addressed by IP, for the operator to copy. */

import { createHash, type X509Certificate } from 'node:crypto'

/** Ports of the relay that differ from the defaults. */
export interface MapNodePorts {
  readonly DERPPort?: number | undefined
  /** -1 for no STUN. */
  readonly STUNPort?: number | undefined
  readonly CanPort80?: boolean | undefined
}

/** Called once the relay listens. */
export type ReadMapNodePorts = () => MapNodePorts

/** Name and region are up to the operator. */
export interface MapNode extends MapNodePorts {
  readonly Name: string
  readonly RegionID: number
  readonly HostName: string
  /** The pin of a certificate without an authority (P-144). */
  readonly CertName?: string
}

/** The entry for an address, with a pin of `certificate` if needed. */
export function mapNode(address: string, certificate?: X509Certificate): MapNode {
  const node = { Name: 'custom', RegionID: 900, HostName: address }
  if (certificate === undefined) return node
  return { ...node, CertName: `sha256-raw:${createHash('sha256').update(certificate.raw).digest('hex')}` }
}
