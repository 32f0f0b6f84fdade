/** A report as text: the original's lines plus a few more. Pure. */

import { regionIds } from '../../../derpmap/regions.ts'
import type { DERPMap } from '../../../derpmap/types.ts'
import { availability, firstOf, type RegionReport, type Report, stunMs } from '../../../netcheck/report.ts'

/** Sorts unmeasured regions last. */
const LAST = Number.POSITIVE_INFINITY

export function reportText(report: Report, map: DERPMap, isVerbose: boolean): string {
  const lines = [
    '',
    'Report:',
    `\t* Time: ${new Date(report.wallMs).toISOString()}`,
    `\t* UDP: ${report.udp}`,
    `\t* IPv4: ${ipv4Text(report)}`,
    `\t* IPv6: ${ipv6Text(report)}`,
    `\t* MappingVariesByDestIP: ${report.mappingVariesByDestIP ?? 'not measured: fewer than two STUN servers responded'}`,
    '\t* PortMapping: not attempted (UPnP, NAT-PMP, PCP)',
    '\t* ICMP: not attempted',
    `\t* CaptivePortal: ${report.captivePortal ?? 'not measured: the map has no node with CanPort80'}`,
    `\t* Nearest DERP: ${nearestText(report, map)}`,
    `\t* Reason: ${report.home.explanation}`,
    '\t* DERP latency:',
    ...regionLines(report, map, isVerbose),
  ]
  return `${lines.join('\n')}\n`
}

function ipv4Text({ globalV4 }: Report): string {
  return globalV4.size === 0 ? '(no addr found)' : `yes, ${firstOf(globalV4)}`
}

function ipv6Text({ globalV6, ipv6, osHasIPv6 }: Report): string {
  if (globalV6.size > 0) return `yes, ${firstOf(globalV6)}`
  if (ipv6) return '(no addr found)'
  return osHasIPv6 ? 'no, but OS has support' : 'no, unavailable in OS'
}

function nearestText({ latency, home }: Report, map: DERPMap): string {
  if (Object.keys(latency.latencyMs).length === 0) return 'unknown (no response to latency probes)'
  return home.regionId === undefined ? '[none]' : (map.Regions?.[home.regionId]?.RegionName ?? String(home.regionId))
}

function regionLines({ regions, latency }: Report, map: DERPMap, isVerbose: boolean): string[] {
  const ids = regionIds(map).sort((a, b) => (latency.latencyMs[a] ?? LAST) - (latency.latencyMs[b] ?? LAST) || a - b)
  const named = ids.flatMap(id => {
    const region = map.Regions?.[id]
    if (region === undefined) return []
    const { RegionCode: code, RegionName: name } = region
    const name2 = `(${isVerbose ? `derp${id}, ` : ''}${name})`
    const what = regions.get(id)
    return [{ begin: `\t\t- ${code.padStart(3)}: ${latencyText(what).padEnd(7)} ${name2}`, what }]
  })
  const width = Math.max(0, ...named.map(({ begin }) => begin.length))
  return named.map(({ begin, what }) => `${begin.padEnd(width)}  ${httpsText(what, isVerbose)}`.trimEnd())
}

/** The STUN latency, or `no STUN` if there was no response. */
function latencyText(region: RegionReport | undefined): string {
  const ms = region && stunMs(region)
  if (ms !== undefined) return goDuration(ms)
  return region === undefined ? '-' : 'no STUN'
}

function httpsText(region: RegionReport | undefined, isVerbose: boolean): string {
  const state = availability(region)
  const { https } = region ?? {}
  if (https === undefined) return state
  const parts = isVerbose ? ` (connect ${goDuration(https.connectMs)}, TLS ${goDuration(https.tlsMs)})` : ''
  return `HTTPS ${goDuration(https.httpMs)}${parts}, ${state}`
}

/** A duration rounded to a tenth of a millisecond, as printed by Go. */
export function goDuration(ms: number): string {
  const tenths = Math.round(ms * 10)
  if (tenths === 0) return '0s'
  if (tenths < 10) return `${tenths * 100}µs`
  return tenths < 10_000 ? `${tenths / 10}ms` : `${tenths / 10_000}s`
}
