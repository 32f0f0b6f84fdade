/** Result of a netcheck. Pure. */

import type { HomeChoice, LatencyReport } from '../derpmap/home-region.ts'
import type { DERPMap } from '../derpmap/types.ts'
import { type AddressPort, formatAddressPort } from '../lib/address-port.ts'
import type { HttpsTimes } from './platform.ts'

export interface Report {
  /** Milliseconds since 1970. */
  readonly wallMs: number
  /** Whether a STUN response arrived. */
  readonly udp: boolean
  readonly ipv4: boolean
  readonly ipv6: boolean
  readonly ipv4CanSend: boolean
  readonly ipv6CanSend: boolean
  readonly osHasIPv6: boolean
  /** Whether our address depends on the destination; undefined with fewer than two responses. */
  readonly mappingVariesByDestIP: boolean | undefined
  /** Undefined if the map has no node with CanPort80. */
  readonly captivePortal: boolean | undefined
  /** Our addresses as seen by servers, with the number of servers that saw each. */
  readonly globalV4: ReadonlyMap<string, number>
  readonly globalV6: ReadonlyMap<string, number>
  /** By region ID; regions not measured in this report are missing. */
  readonly regions: ReadonlyMap<number, RegionReport>
  /** Milliseconds by region ID, used to choose the home. */
  readonly latency: LatencyReport
  readonly home: HomeChoice
}

export interface RegionReport {
  /** Milliseconds until the STUN response; undefined without one. */
  readonly stunV4Ms: number | undefined
  readonly stunV6Ms: number | undefined
  readonly https: HttpsTimes | undefined
  /** Why HTTPS failed. */
  readonly httpsProblem: string | undefined
}

/** Lowest STUN latency of a region. */
export function stunMs({ stunV4Ms, stunV6Ms }: RegionReport): number | undefined {
  const times = [stunV4Ms, stunV6Ms].filter(ms => ms !== undefined)
  return times.length === 0 ? undefined : Math.min(...times)
}

/** Whether the relays of a region are available over HTTPS. */
export function availability(region: RegionReport | undefined): string {
  if (region === undefined) return 'not measured'
  if (region.https !== undefined) return 'available'
  return region.httpsProblem ?? 'not measured'
}

/** What the original measures and this does not. */
const NOT_ATTEMPTED = ['UPnP', 'PMP', 'PCP', 'ICMPv4'] as const

/** The report with the field names of the original's JSON, additional fields last. Times are in nanoseconds. */
export function reportJson(report: Report, map: DERPMap): object {
  const { regions, home } = report
  const times = (of: (region: RegionReport) => number | undefined) =>
    Object.fromEntries(
      Array.from(regions, ([id, region]) => [id, of(region)] as const)
        .filter(([, ms]) => ms !== undefined)
        .map(([id, ms]) => [id, nanoseconds(ms ?? 0)]),
    )
  return {
    Now: new Date(report.wallMs).toISOString(),
    UDP: report.udp,
    IPv6: report.ipv6,
    IPv4: report.ipv4,
    IPv6CanSend: report.ipv6CanSend,
    IPv4CanSend: report.ipv4CanSend,
    OSHasIPv6: report.osHasIPv6,
    ICMPv4: false,
    MappingVariesByDestIP: report.mappingVariesByDestIP ?? null,
    UPnP: null,
    PMP: null,
    PCP: null,
    PreferredDERP: home.regionId ?? 0,
    RegionLatency: Object.fromEntries(
      Object.entries(report.latency.latencyMs).map(([id, ms]) => [id, nanoseconds(ms)]),
    ),
    RegionV4Latency: times(({ stunV4Ms }) => stunV4Ms),
    RegionV6Latency: times(({ stunV6Ms }) => stunV6Ms),
    GlobalV4Counters: countersJson(report.globalV4),
    GlobalV6Counters: countersJson(report.globalV6),
    GlobalV4: firstOf(report.globalV4),
    GlobalV6: firstOf(report.globalV6),
    CaptivePortal: report.captivePortal ?? null,
    RegionHTTPSLatency: times(({ https }) => https?.httpMs),
    RegionAvailability: Object.fromEntries(
      Object.keys(map.Regions ?? {}).map(id => [id, availability(regions.get(Number(id)))]),
    ),
    PreferredReason: home.explanation,
    NotAttempted: NOT_ATTEMPTED,
  }
}

/** Null if empty, as in the original. */
function countersJson(counters: ReadonlyMap<string, number>): object | null {
  return counters.size === 0 ? null : Object.fromEntries(counters)
}

/** The address seen first. */
export function firstOf(counters: ReadonlyMap<string, number>): string {
  return counters.keys().next().value ?? ''
}

export function countAddress(counters: Map<string, number>, address: AddressPort): void {
  const text = formatAddressPort(address)
  counters.set(text, (counters.get(text) ?? 0) + 1)
}

function nanoseconds(ms: number): number {
  return Math.round(ms * 1e6)
}
