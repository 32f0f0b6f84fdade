/** Differences between two DERP maps, so that only affected connections are re-established. */

import { nodesByKey, regionIds } from './regions.ts'
import type { DERPMap, DERPNode, DERPRegion } from './types.ts'

/** A node in both maps that differs. */
export interface NodeChange {
  /** The `Name` of the node in both maps. */
  readonly name: string
  /** As in the old map. */
  readonly before: DERPNode
  /** As in the new map. */
  readonly after: DERPNode
  /** Names of the fields that differ. */
  readonly fields: readonly (keyof DERPNode)[]
  /** Whether new connections would go elsewhere or be verified differently. */
  readonly affectsConnections: boolean
}

/** A region in both maps that differs. */
export interface RegionChange {
  /** ID of the region in both maps. */
  readonly regionId: number
  /** As in the old map. */
  readonly before: DERPRegion
  /** As in the new map. */
  readonly after: DERPRegion
  /** Names of the fields that differ, `Nodes` excluded. */
  readonly fields: readonly Exclude<keyof DERPRegion, 'Nodes'>[]
  /** Nodes of the new map only. */
  readonly nodesAdded: readonly DERPNode[]
  /** Nodes of the old map only. */
  readonly nodesRemoved: readonly DERPNode[]
  /** Nodes in both that differ. */
  readonly nodesChanged: readonly NodeChange[]
  /** Whether the nodes present in both are in a different order. */
  readonly isReordered: boolean
}

/** What a new map changes, from {@link diffDerpMaps}. */
export interface DerpMapDiff {
  /** IDs of regions of the new map only, in order, as are those below. */
  readonly regionsAdded: readonly number[]
  /** IDs of regions of the old map only. */
  readonly regionsRemoved: readonly number[]
  /** Regions in both that differ. */
  readonly regionsChanged: readonly RegionChange[]
  /** Whether `HomeParams` differs. */
  readonly isHomeParamsChanged: boolean
  /** Whether `omitDefaultRegions` differs. */
  readonly isOmitDefaultRegionsChanged: boolean
  /** Whether nothing differs. */
  readonly isEmpty: boolean
}

// Typed so that it stays complete: a field missing here would count as not affecting connections.
const AFFECTS_CONNECTIONS: Readonly<Record<keyof DERPNode, boolean>> = {
  Name: false,
  RegionID: false,
  HostName: true,
  CertName: true,
  IPv4: true,
  IPv6: true,
  STUNPort: false,
  STUNOnly: true,
  DERPPort: true,
  InsecureForTests: true,
  STUNTestIP: false,
  CanPort80: false,
}
const NODE_FIELDS = Object.keys(AFFECTS_CONNECTIONS) as (keyof DERPNode)[]

const REGION_FIELDS = [
  'RegionID',
  'RegionCode',
  'RegionName',
  'Latitude',
  'Longitude',
  'Avoid',
  'NoMeasureNoHome',
] as const

/**
 * Compares two maps. Absent fields equal those that are `false`, `0` or empty.
 *
 * @example
 * ```ts
 * const { isEmpty, regionsRemoved } = diffDerpMaps(map, { Regions: {} })
 * console.log(isEmpty, regionsRemoved)
 * ```
 */
export function diffDerpMaps(before: DERPMap, after: DERPMap): DerpMapDiff {
  const [old, now] = [before.Regions ?? {}, after.Regions ?? {}]
  const regionsAdded = regionIds(after).filter(id => old[id] === undefined)
  const regionsRemoved = regionIds(before).filter(id => now[id] === undefined)
  const regionsChanged = regionIds(after).flatMap(id => diffRegions(id, old[id], now[id]))
  const isHomeParamsChanged = !equalScores(before, after)
  const isOmitDefaultRegionsChanged = (before.omitDefaultRegions ?? false) !== (after.omitDefaultRegions ?? false)
  const isEmpty =
    regionsAdded.length + regionsRemoved.length + regionsChanged.length === 0 &&
    !isHomeParamsChanged &&
    !isOmitDefaultRegionsChanged
  return { regionsAdded, regionsRemoved, regionsChanged, isHomeParamsChanged, isOmitDefaultRegionsChanged, isEmpty }
}

function diffRegions(regionId: number, before?: DERPRegion, after?: DERPRegion): RegionChange[] {
  if (before === undefined || after === undefined || before === after) return []
  const fields = REGION_FIELDS.filter(field => (before[field] || undefined) !== (after[field] || undefined))
  const [old, now] = [nodesByKey(before.Nodes), nodesByKey(after.Nodes)]
  const nodesAdded = [...now].filter(([name]) => !old.has(name)).map(([, node]) => node)
  const nodesRemoved = [...old].filter(([name]) => !now.has(name)).map(([, node]) => node)
  const nodesChanged = [...now].flatMap(([name, node]) => diffNodes(old.get(name), node))
  const order = (names: ReadonlyMap<string, DERPNode>, other: ReadonlyMap<string, DERPNode>) =>
    [...names.keys()].filter(name => other.has(name)).join('\n')
  const isReordered = order(old, now) !== order(now, old)
  const isSame = fields.length + nodesAdded.length + nodesRemoved.length + nodesChanged.length === 0 && !isReordered
  if (isSame) return []
  return [{ regionId, before, after, fields, nodesAdded, nodesRemoved, nodesChanged, isReordered }]
}

function diffNodes(before: DERPNode | undefined, after: DERPNode): NodeChange[] {
  if (before === undefined) return []
  const fields = differingFields(before, after)
  if (fields.length === 0) return []
  return [{ name: after.Name, before, after, fields, affectsConnections: fields.some(affectsConnections) }]
}

/** Whether a new connection to the node would go elsewhere or be verified differently. */
export function connectsElsewhere(before: DERPNode, after: DERPNode): boolean {
  return differingFields(before, after).some(affectsConnections)
}

function differingFields(before: DERPNode, after: DERPNode): (keyof DERPNode)[] {
  return NODE_FIELDS.filter(field => (before[field] || undefined) !== (after[field] || undefined))
}

const affectsConnections = (field: keyof DERPNode): boolean => AFFECTS_CONNECTIONS[field]

function equalScores(before: DERPMap, after: DERPMap): boolean {
  // Integer keys are already in order.
  const text = ({ HomeParams: params }: DERPMap) =>
    params === undefined ? '' : JSON.stringify(Object.entries(params.RegionScore ?? {}))
  return text(before) === text(after)
}
