/** Measures the network with STUN and HTTPS to every region, and chooses the home region. */

import { type HomeChoice, type LatencyReport, pickHome, recentReports } from '../derpmap/home-region.ts'
import { regionIds } from '../derpmap/regions.ts'
import type { DERPMap, DERPNode, DERPRegion } from '../derpmap/types.ts'
import type { Clock } from '../lib/clock.ts'
import { DerpError } from '../lib/derp-error.ts'
import { withTimeLimit } from '../lib/time-limit.ts'
import type { HttpsTimes, NetcheckPlatform } from './platform.ts'
import { fullPlan, incrementalPlan, type ProbeSet } from './probe-plan.ts'
import type { RegionReport, Report } from './report.ts'
import { type StunFindings, stunRound } from './stun-round.ts'

/** Milliseconds for HTTPS to one region, and for plain HTTP. */
const HTTPS_TIMEOUT_MS = 5_000
/** Milliseconds after which a report covers all regions again. */
const FULL_AFTER_MS = 5 * 60_000
/** Concurrent handshakes: more would slow each other down. */
const MAX_HANDSHAKES = 6
/** Nodes used to detect a captive portal. */
const MAX_PLAIN_PROBES = 5

export interface ReportOptions {
  /** Covers all regions, not only the fastest of the last report. */
  readonly isFull?: boolean | undefined
  readonly signal?: AbortSignal | undefined
}

/** Makes reports; each uses the results of the previous ones. */
export class Netcheck {
  readonly #platform: NetcheckPlatform
  readonly #clock: Clock
  #last: Report | undefined
  #history: readonly LatencyReport[] = []
  #fullAtMs = -Infinity

  constructor(platform: NetcheckPlatform) {
    this.#platform = platform
    this.#clock = platform.clock
  }

  /** Makes a report. Rejects only when aborted. */
  async report(
    map: DERPMap,
    { isFull = true, signal = new AbortController().signal }: ReportOptions = {},
  ): Promise<Report> {
    const startedAtMs = this.#clock.now()
    const ipv6 = await this.#platform.ipv6()
    const { sets, ids } = this.#plan(map, isFull, ipv6.hasAddress)
    const stun = await stunRound(this.#platform, sets, signal)
    const [https, captivePortal] = await Promise.all([
      this.#measureHttps(map, ids, signal),
      this.#probePortal(map, signal),
    ])
    signal.throwIfAborted()
    const regions = new Map(ids.map(id => [id, regionReport(id, stun, https)]))
    const latency: LatencyReport = { startedAtMs, atMs: this.#clock.now(), latencyMs: latenciesOf(regions) }
    const report = {
      ...familiesOf(stun, https),
      osHasIPv6: ipv6.inSystem,
      captivePortal,
      regions,
      latency,
      home: this.#pick(map, latency),
    }
    this.#last = { wallMs: this.#clock.wallNow(), ...report }
    return this.#last
  }

  /** The STUN requests and the regions to measure: a full report includes regions without STUN. */
  #plan(map: DERPMap, isFull: boolean, v6: boolean): { sets: ProbeSet[]; ids: number[] } {
    const families = { v4: true, v6 }
    const nowMs = this.#clock.now()
    const last = this.#last
    const isDue = nowMs - this.#fullAtMs > FULL_AFTER_MS
    if (isFull || isDue || last === undefined || Object.keys(last.latency.latencyMs).length === 0) {
      this.#fullAtMs = nowMs
      const ids = regionIds(map).filter(id => map.Regions?.[id]?.NoMeasureNoHome !== true)
      return { sets: fullPlan(map, families), ids }
    }
    const sets = incrementalPlan(map, families, last)
    return { sets, ids: [...new Set(sets.map(({ regionId }) => regionId))] }
  }

  async #measureHttps(map: DERPMap, ids: readonly number[], signal: AbortSignal): Promise<Map<number, HttpsResult>> {
    const results = new Map<number, HttpsResult>()
    const waiting = [...ids]
    const work = async () => {
      for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) {
        const region = map.Regions?.[id]
        if (region !== undefined) results.set(id, await this.#httpsOf(region, signal))
      }
    }
    await Promise.all(Array.from({ length: MAX_HANDSHAKES }, work))
    return results
  }

  /** The first node that responds, as for clients; if none does, the problem of the first one. */
  async #httpsOf({ Nodes: nodes }: DERPRegion, signal: AbortSignal): Promise<HttpsResult> {
    let problem: string | undefined
    for (const node of nodes.filter(({ STUNOnly }) => !STUNOnly)) {
      if (signal.aborted) break
      try {
        return { times: await this.#limited(stop => this.#platform.measureHttps(node, stop), signal) }
      } catch (error) {
        problem ??= error instanceof Error ? error.message : String(error)
      }
    }
    return { problem: problem ?? 'carries no packets' }
  }

  /** Whether something other than a relay responds on port 80 of a node with CanPort80. */
  async #probePortal(map: DERPMap, signal: AbortSignal): Promise<boolean | undefined> {
    const hosts = regionIds(map)
      .flatMap(id => map.Regions?.[id]?.Nodes ?? [])
      .filter(({ CanPort80 }) => CanPort80 === true)
      .slice(0, MAX_PLAIN_PROBES)
      .map(({ HostName, IPv4 }: DERPNode) => IPv4 || HostName)
    if (hosts.length === 0) return undefined
    const answers = hosts.map(host =>
      this.#limited(stop => this.#platform.probePlainHttp(host, stop), signal).catch(() => 'none' as const),
    )
    return (await Promise.all(answers)).includes('other')
  }

  #limited<T>(work: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
    const timeoutMs = HTTPS_TIMEOUT_MS
    const tooLate = () => new DerpError('ERR_DERP_DIAL_TIMEOUT', `no answer within ${timeoutMs} ms`)
    return withTimeLimit({ clock: this.#clock, timeoutMs, action: 'measure', tooLate, signals: [signal] }, work)
  }

  #pick(map: DERPMap, report: LatencyReport): HomeChoice {
    const nowMs = this.#clock.now()
    const home = pickHome({ map, report, history: this.#history, current: this.#last?.home.regionId, nowMs })
    this.#history = [...recentReports(this.#history, nowMs), report]
    return home
  }
}

type HttpsResult = { readonly times: HttpsTimes } | { readonly problem: string }

function regionReport(id: number, stun: StunFindings, https: ReadonlyMap<number, HttpsResult>): RegionReport {
  const result = https.get(id)
  return {
    stunV4Ms: stun.v4.get(id),
    stunV6Ms: stun.v6.get(id),
    https: result !== undefined && 'times' in result ? result.times : undefined,
    httpsProblem: result !== undefined && 'problem' in result ? result.problem : undefined,
  }
}

/** STUN latencies; HTTPS, which is slower for the same distance, only if UDP seems to be blocked. */
function latenciesOf(regions: ReadonlyMap<number, RegionReport>): Record<number, number> {
  const byStun = Array.from(regions, ([id, { stunV4Ms, stunV6Ms }]) => [id, minOf(stunV4Ms, stunV6Ms)] as const)
  const byHttps = Array.from(regions, ([id, { https }]) => [id, https?.httpMs] as const)
  const isBlocked = byStun.every(([, ms]) => ms === undefined)
  const latencies: Record<number, number> = {}
  for (const [id, ms] of isBlocked ? byHttps : byStun) if (ms !== undefined) latencies[id] = ms
  return latencies
}

function minOf(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.min(a, b)
}

function familiesOf({ v4, v6, globalV4, globalV6, canSend }: StunFindings, https: ReadonlyMap<number, HttpsResult>) {
  const answers = Array.from(globalV4.values()).reduce((sum, count) => sum + count, 0)
  const udp = v4.size + v6.size > 0
  return {
    udp,
    // HTTPS does not tell which family was used.
    ipv4: v4.size > 0 || (!udp && Array.from(https.values()).some(result => 'times' in result)),
    ipv6: v6.size > 0,
    ipv4CanSend: canSend[4],
    ipv6CanSend: canSend[6],
    mappingVariesByDestIP: answers < 2 ? undefined : globalV4.size > 1,
    globalV4,
    globalV6,
  }
}
