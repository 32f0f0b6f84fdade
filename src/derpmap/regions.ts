/** Looks up regions in a DERP map. */

import { DerpError } from '../lib/derp-error.ts'
import type { DERPMap, DERPNode, DERPRegion } from './types.ts'

/** The region IDs of a map, in order. */
export function regionIds(map: DERPMap): number[] {
  return Object.keys(map.Regions ?? {})
    .map(Number)
    .sort((a, b) => a - b)
}

/** The region with this ID. @throws DerpError listing the existing ones. */
export function requireRegion(map: DERPMap, regionId: number): DERPRegion {
  const region = map.Regions?.[regionId]
  if (region !== undefined) return region
  const ids = regionIds(map)
  const reason = ids.length === 0 ? 'the map has no regions' : `the map has ${ids.join(', ')}`
  throw new DerpError('ERR_DERP_REGION_UNAVAILABLE', `find region ${regionId}: ${reason}`)
}

/** Nodes by name; of several with one name, or with none, each by its place among them as well. */
export function nodesByKey(nodes: readonly DERPNode[]): Map<string, DERPNode> {
  const byKey = new Map<string, DERPNode>()
  for (const node of nodes) {
    let key = node.Name
    for (let i = 2; byKey.has(key); i++) key = `${node.Name}\n${i}`
    byKey.set(key, node)
  }
  return byKey
}

/** How messages call a region, as the original does. */
export function formatRegion({ RegionID, RegionCode }: DERPRegion): string {
  return `region ${RegionID} (${RegionCode})`
}
