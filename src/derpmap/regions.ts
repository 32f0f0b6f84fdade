/** Looks up regions in a DERP map. */

import { DerpError } from '../lib/derp-error.ts'
import type { DERPMap, DERPNode, DERPRegion } from './types.ts'

/**
 * The region IDs of a map, in order.
 *
 * @example
 * ```ts
 * for (const id of regionIds(map)) console.log(id, map.Regions?.[id]?.RegionName)
 * ```
 */
export function regionIds(map: DERPMap): number[] {
  return Object.keys(map.Regions ?? {})
    .map(Number)
    .sort((a, b) => a - b)
}

/**
 * The region with this ID.
 *
 * @throws DerpError listing the existing ones.
 * @example
 * ```ts
 * const client = Client.forRegion(privateKey, () => requireRegion(map, 900))
 * ```
 */
export function requireRegion(map: DERPMap, regionId: number): DERPRegion {
  const region = map.Regions?.[regionId]
  if (region !== undefined) return region
  const ids = regionIds(map)
  const reason = ids.length === 0 ? 'the map has no regions' : `the map has ${ids.join(', ')}`
  throw new DerpError('ERR_DERP_REGION_UNAVAILABLE', `find region ${regionId}: ${reason}`)
}

/** Nodes by name; those with the same or an empty name are also numbered. */
export function nodesByKey(nodes: readonly DERPNode[]): Map<string, DERPNode> {
  const byKey = new Map<string, DERPNode>()
  for (const node of nodes) {
    let key = node.Name
    for (let i = 2; byKey.has(key); i++) key = `${node.Name}\n${i}`
    byKey.set(key, node)
  }
  return byKey
}

/** Region as shown in messages, as in the original. */
export function formatRegion({ RegionID, RegionCode }: DERPRegion): string {
  return `region ${RegionID} (${RegionCode})`
}
