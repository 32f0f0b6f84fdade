/** The probes of a DERP map as a table: a row for each node, a cell for each thing that is probed. Pure. */

import { regionIds } from '../derpmap/regions.ts'
import type { DERPMap, DERPRegion } from '../derpmap/types.ts'
import type { ProbeInfo } from './probe-info.ts'

/** Colour of a cell: never run, passing, recovered, or failing. */
export type CellColor = 'grey' | 'green' | 'amber' | 'red'

export interface MatrixCell {
  readonly info: ProbeInfo
  readonly color: CellColor
}

export interface MatrixRow {
  readonly node: string
  readonly hostname: string
  /** One per column of {@link RegionMatrix.columns}; empty where nothing is probed. */
  readonly cells: readonly (readonly MatrixCell[])[]
}

export interface RegionMatrix {
  readonly code: string
  readonly name: string
  readonly columns: readonly string[]
  readonly rows: readonly MatrixRow[]
}

const OWN_COLUMNS = [
  { title: 'TLS', suffix: 'tls' },
  { title: 'STUN IPv4', suffix: 'udp' },
  { title: 'STUN IPv6', suffix: 'udp6' },
] as const
const PAIR_KINDS = ['mesh', 'bw', 'qd'] as const

/** Regions without a probe are left out. */
export function matrixOf(map: DERPMap, infos: readonly ProbeInfo[]): RegionMatrix[] {
  const byName = new Map(infos.map(info => [info.name, info]))
  return regionIds(map)
    .flatMap(id => map.Regions?.[id] ?? [])
    .map(region => regionMatrix(region, byName))
    .filter(({ rows }) => rows.some(({ cells }) => cells.some(cell => cell.length > 0)))
}

function regionMatrix(region: DERPRegion, infos: ReadonlyMap<string, ProbeInfo>): RegionMatrix {
  const { RegionCode: code, RegionName: name, Nodes: nodes } = region
  const cellOf = (...names: string[]) => names.flatMap(each => infos.get(each) ?? []).map(toCell)
  return {
    code,
    name,
    columns: [...OWN_COLUMNS.map(({ title }) => title), ...nodes.map(({ Name }) => `to ${Name}`)],
    rows: nodes.map(({ Name: node, HostName: hostname }) => ({
      node,
      hostname,
      cells: [
        ...OWN_COLUMNS.map(({ suffix }) => cellOf(`derp/${code}/${node}/${suffix}`)),
        ...nodes.map(to => cellOf(...PAIR_KINDS.map(kind => `derp/${code}/${node}/${to.Name}/${kind}`))),
      ],
    })),
  }
}

function toCell(info: ProbeInfo): MatrixCell {
  return { info, color: colorOf(info) }
}

/** Amber is for what works now and failed a short while ago. */
export function colorOf({ error, recentResults, endedAtMs, status, intervalMs }: ProbeInfo): CellColor {
  if (error !== undefined) return 'red'
  // A continuous probe ends only to fail.
  if (endedAtMs === undefined) return intervalMs < 0 && status === 'running' ? 'green' : 'grey'
  return recentResults.every(Boolean) ? 'green' : 'amber'
}

/** The last runs, oldest first: their latencies, undefined for those that failed. */
export function recentRuns({ recentResults, recentLatenciesMs }: ProbeInfo): (number | undefined)[] {
  const latencies = [...recentLatenciesMs]
  return recentResults
    .toReversed()
    .map(isGood => (isGood ? latencies.pop() : undefined))
    .toReversed()
}
