/** Builds a DERP map from the relays of one operator. Pure. */

import type { DERPMap, DERPNode, DERPRegion } from '../../derpmap/types.ts'
import { DerpError } from '../../lib/derp-error.ts'

/** Region naming and layout, as chosen by the operator. */
export interface RegionNaming {
  /** ID of the first region. */
  readonly id: number
  readonly code: string
  readonly name: string
  /** One region per relay; relays that are not meshed must not share a region. */
  readonly isSeparate: boolean
  readonly omitDefaultRegions: boolean
}

export const DEFAULT_NAMING: RegionNaming = {
  id: 900,
  code: 'custom',
  name: 'Custom',
  isSeparate: false,
  omitDefaultRegions: false,
}

/** @throws DerpError for anything but a positive integer. */
export function parseRegionId(text: string): number {
  const id = Number(text)
  if (/^[1-9]\d*$/.test(text) && Number.isSafeInteger(id)) return id
  throw new DerpError('ERR_DERP_CONFIG_INVALID', `use region ID "${text}": not a positive integer`)
}

/** @param nodes at least one. */
export function buildMap(nodes: readonly Omit<DERPNode, 'Name' | 'RegionID'>[], naming: RegionNaming): DERPMap {
  const regions = naming.isSeparate
    ? nodes.map((node, at) => regionOf([node], numbered(naming, at)))
    : [regionOf(nodes, naming)]
  return {
    ...(naming.omitDefaultRegions && { omitDefaultRegions: true }),
    Regions: Object.fromEntries(regions.map(region => [region.RegionID, region])),
  }
}

function numbered(naming: RegionNaming, at: number): RegionNaming {
  const suffix = at === 0 ? '' : String(at + 1)
  return {
    ...naming,
    id: naming.id + at,
    code: `${naming.code}${suffix && `-${suffix}`}`,
    name: `${naming.name}${suffix && ` ${suffix}`}`,
  }
}

function regionOf(nodes: readonly Omit<DERPNode, 'Name' | 'RegionID'>[], { id, code, name }: RegionNaming): DERPRegion {
  return {
    RegionID: id,
    RegionCode: code,
    RegionName: name,
    Nodes: nodes.map((node, at) => ({ Name: `${id}${letters(at)}`, RegionID: id, ...node })),
  }
}

/** `a` to `z`, then `aa`, `ab`. */
function letters(at: number): string {
  const last = String.fromCharCode(97 + (at % 26))
  return at < 26 ? last : `${letters(Math.floor(at / 26) - 1)}${last}`
}
