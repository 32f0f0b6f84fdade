/** Which probes a DERP map asks for, under the names of the original. Pure. */

import { regionIds } from '../derpmap/regions.ts'
import type { DERPMap, DERPNode, DERPRegion } from '../derpmap/types.ts'
import { ipFamilyOf } from '../lib/address-port.ts'
import type { Labels } from './probe-class.ts'
import { type QueueDelayOptions, RETRY_MS } from './queue-delay-probe.ts'

/** What is probed, and how often; an interval of 0 turns a kind off. */
export interface ProbeKinds {
  readonly tlsIntervalMs: number
  readonly stunIntervalMs: number
  readonly meshIntervalMs: number
  readonly bandwidth?: { readonly intervalMs: number; readonly sizeBytes: number } | undefined
  readonly queueDelay?: QueueDelayOptions | undefined
  /** Code or ID of the only region that is probed. */
  readonly region?: string | undefined
}

/** A probe that is wanted; nodes are given by name, because their definitions may change. */
export interface WantedProbe {
  readonly name: string
  readonly intervalMs: number
  readonly labels: Labels
  readonly subject:
    | { readonly kind: 'tls'; readonly node: string }
    | { readonly kind: 'udp'; readonly node: string; readonly family: 'IPv4' | 'IPv6' }
    | { readonly kind: 'mesh' | 'bw' | 'qd'; readonly from: string; readonly to: string }
}

const FAMILIES = { IPv6: { suffix: 'udp6', version: 6 }, IPv4: { suffix: 'udp', version: 4 } } as const

export function wantedProbes(map: DERPMap, kinds: ProbeKinds): WantedProbe[] {
  return probedRegions(map, kinds.region).flatMap(region => region.Nodes.flatMap(node => ofNode(region, node, kinds)))
}

/** The nodes that are probed, by name. @throws Error for two of one name. */
export function probedNodes(map: DERPMap, onlyRegion: string | undefined): Map<string, DERPNode> {
  const nodes = new Map<string, DERPNode>()
  for (const node of probedRegions(map, onlyRegion).flatMap(region => region.Nodes)) {
    const other = nodes.get(node.Name)
    if (other !== undefined) {
      const hosts = `${other.HostName} and ${node.HostName}`
      throw new Error(`use DERP map: two nodes (${hosts}) have the name ${JSON.stringify(node.Name)}; rename one`)
    }
    // As in the original: nodes that clients use for STUN only are probed in full.
    nodes.set(node.Name, { ...node, STUNOnly: false })
  }
  return nodes
}

/** All, or the one with this code or ID. */
export function probedRegions(map: DERPMap, only: string | undefined): DERPRegion[] {
  const regions = regionIds(map).flatMap(id => map.Regions?.[id] ?? [])
  return regions.filter(
    ({ RegionCode, RegionID }) => only === undefined || RegionCode === only || String(RegionID) === only,
  )
}

function ofNode(region: DERPRegion, node: DERPNode, kinds: ProbeKinds): WantedProbe[] {
  const path = `derp/${region.RegionCode}/${node.Name}`
  const labels = { region: region.RegionCode, region_id: String(region.RegionID), hostname: node.HostName }
  const { tlsIntervalMs, stunIntervalMs, meshIntervalMs, bandwidth, queueDelay } = kinds
  const tls: WantedProbe = {
    name: `${path}/tls`,
    intervalMs: tlsIntervalMs,
    labels,
    subject: { kind: 'tls', node: node.Name },
  }
  const udp = (['IPv6', 'IPv4'] as const)
    .filter(family => node.STUNPort !== -1 && ipFamilyOf(node[family] ?? '') === FAMILIES[family].version)
    .map(
      (family): WantedProbe => ({
        name: `${path}/${FAMILIES[family].suffix}`,
        intervalMs: stunIntervalMs,
        labels,
        subject: { kind: 'udp', node: node.Name, family },
      }),
    )
  const intervals = {
    mesh: meshIntervalMs,
    bw: bandwidth?.intervalMs ?? 0,
    // Negative for a continuous probe: the pause after a failure.
    qd: queueDelay === undefined ? 0 : -RETRY_MS,
  }
  const pairs = region.Nodes.flatMap(to =>
    (['mesh', 'bw', 'qd'] as const).map(
      (kind): WantedProbe => ({
        name: `${path}/${to.Name}/${kind}`,
        intervalMs: intervals[kind],
        labels,
        subject: { kind, from: node.Name, to: to.Name },
      }),
    ),
  )
  return [tls, ...udp, ...pairs].filter(({ intervalMs }) => intervalMs !== 0)
}
