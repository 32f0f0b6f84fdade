/** Plans which STUN requests are sent where and when, as the original does. Pure. */

import { regionIds } from '../derpmap/regions.ts'
import type { DERPMap, DERPNode, DERPRegion } from '../derpmap/types.ts'
import { type IpFamily, ipFamilyOf } from '../lib/address-port.ts'
import type { Report } from './report.ts'

/** One request. */
export interface Probe {
  readonly node: DERPNode
  readonly family: IpFamily
  /** Milliseconds after the start. */
  readonly delayMs: number
}

/** Requests of which one response is enough. */
export interface ProbeSet {
  readonly regionId: number
  readonly family: IpFamily
  readonly probes: readonly Probe[]
}

/** Address families that this machine has. */
export interface Families {
  readonly v4: boolean
  readonly v6: boolean
}

/** Milliseconds between requests to a region without earlier measurements. */
const INITIAL_RETRANSMIT_MS = 100
const INITIAL_TRIES = 3
/** The same if a region did not respond last time. */
const RETRANSMIT_MS = 200
/** Number of fastest regions in an incremental report. */
const INCREMENTAL_REGIONS = 3
const TRIES_AT_HOME = 4
const FASTEST = 2

/** A plan for all regions. */
export function fullPlan(map: DERPMap, families: Families): ProbeSet[] {
  return measuredRegions(map).flatMap(region => {
    const delays = Array.from({ length: INITIAL_TRIES }, (_, attempt) => attempt * INITIAL_RETRANSMIT_MS)
    return setsOf(region, delays, { 4: families.v4, 6: families.v6 })
  })
}

/** An incremental plan: the fastest regions of the last report, and the home with extra tries against packet loss. */
export function incrementalPlan(map: DERPMap, families: Families, last: Report): ProbeSet[] {
  const { latencyMs } = last.latency
  const home = last.home.regionId
  const sorted = measuredRegions(map)
    .filter(({ Avoid, RegionID }) => !Avoid || RegionID === home)
    .sort((a, b) => (latencyMs[a.RegionID] ?? Infinity) - (latencyMs[b.RegionID] ?? Infinity))
  return sorted.flatMap((region, rank) => {
    const isHome = region.RegionID === home
    if (rank >= INCREMENTAL_REGIONS && !isHome) return []
    const latency = latencyMs[region.RegionID]
    const delays = delaysOf(isHome ? TRIES_AT_HOME : rank < FASTEST ? 2 : 1, latency)
    return setsOf(region, delays, familiesOf(last, families, rank, isHome))
  })
}

/** If both families work, slower regions use only one of them, alternating by rank. */
function familiesOf(
  { regions }: Report,
  families: Families,
  rank: number,
  isHome: boolean,
): Readonly<Record<IpFamily, boolean>> {
  const had4 = Array.from(regions.values()).some(({ stunV4Ms }) => stunV4Ms !== undefined)
  const had6 = Array.from(regions.values()).some(({ stunV6Ms }) => stunV6Ms !== undefined)
  if (isHome || rank < FASTEST) return { 4: families.v4, 6: families.v6 }
  if (families.v6 && had4 && had6) return { 4: rank % 2 === 0, 6: rank % 2 !== 0 }
  return { 4: families.v4, 6: families.v6 && had6 }
}

function delaysOf(tries: number, latencyMs: number | undefined): number[] {
  const step = latencyMs === undefined ? RETRANSMIT_MS : latencyMs * 1.2
  return Array.from({ length: tries }, (_, attempt) => attempt * step + (attempt > 1 ? attempt * 50 : 0))
}

function measuredRegions(map: DERPMap): DERPRegion[] {
  return regionIds(map).flatMap(id => {
    const region = map.Regions?.[id]
    return region === undefined || region.NoMeasureNoHome || region.Nodes.length === 0 ? [] : [region]
  })
}

/** Attempts rotate through the region's nodes. */
function setsOf(
  { RegionID: regionId, Nodes: nodes }: DERPRegion,
  delays: readonly number[],
  wanted: Readonly<Record<IpFamily, boolean>>,
): ProbeSet[] {
  return ([4, 6] as const).flatMap(family => {
    const probes = delays.flatMap((delayMs, attempt) => {
      const node = nodes[attempt % nodes.length]
      if (node === undefined || !mightAnswer(node, family, wanted[family])) return []
      return [{ node, family, delayMs }]
    })
    return probes.length === 0 ? [] : [{ regionId, family, probes }]
  })
}

/** Decided from the map, without DNS. Nodes on loopback, for tests, are always included. */
function mightAnswer(node: DERPNode, family: IpFamily, isWanted: boolean): boolean {
  const { STUNPort: port, STUNTestIP: testIp, IPv4, IPv6 } = node
  if (port === -1) return false
  if (testIp) return ipFamilyOf(testIp) === family
  const stated = family === 4 ? IPv4 : IPv6
  const isForTests = IPv4 === '127.0.0.1' || IPv6 === '::1'
  return (isWanted || isForTests) && (!stated || ipFamilyOf(stated) === family)
}
