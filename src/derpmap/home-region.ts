/**
 * Picks the home region from measured latencies, as the original does, and says why. Pure.
 *
 * A region is judged by its best latency of the last minutes. A change needs a clear advantage, so that a client between
 * two regions does not flap.
 */

import { regionIds } from './regions.ts'
import type { DERPMap } from './types.ts'

/** How long a measurement counts, in milliseconds. */
const MAX_AGE_MS = 5 * 60_000
/** A home heard from within this many milliseconds, by any frame, is alive even if it was not measured. */
const HEARD_WITHIN_MS = 8_000
/**
 * Milliseconds for which a home that was heard from is kept when nothing was measured: twice the interval of KeepAlive.
 */
const KEEP_ALIVE_HEARD_WITHIN_MS = 120_000
/** Another region must be faster by this many milliseconds … */
const MIN_GAIN_MS = 10
/** … and must take at most this fraction of the home's time. */
const MAX_SHARE_OF_CURRENT = 2 / 3

/** Latencies measured together. */
export interface LatencyReport {
  /** When the measurement began, in milliseconds of one clock. */
  readonly startedAtMs: number
  /** When it ended, in milliseconds of the same clock. */
  readonly atMs: number
  /** Milliseconds by region ID; regions that did not respond are missing. */
  readonly latencyMs: Readonly<Record<number, number>>
}

/** What {@link pickHome} decides by. */
export interface HomeInput {
  /** The regions to choose from. */
  readonly map: DERPMap
  /** The latest measurement. */
  readonly report: LatencyReport
  /** Earlier reports; old ones are ignored, see {@link recentReports}. */
  readonly history?: readonly LatencyReport[] | undefined
  /** Region ID of the current home; undefined for none. */
  readonly current?: number | undefined
  /** Regions that become home whenever they respond, best first. */
  readonly pins?: readonly number[] | undefined
  /** Regions that never become home, whatever the map says. */
  readonly avoid?: readonly number[] | undefined
  /** When anything was last received from a region, by region ID, in milliseconds of the reports' clock. */
  readonly heardAtMs?: Readonly<Record<number, number>> | undefined
  /** The time now, in milliseconds of the reports' clock. */
  readonly nowMs: number
}

/** Why a region is home. */
export type HomeReason =
  /** It is pinned and responds. */
  | 'pinned'
  /** There was no home before. */
  | 'first'
  /** It is the home, and the fastest. */
  | 'fastest'
  /** It is the home; another region is faster, but by too few milliseconds. */
  | 'keptBySmallGain'
  /** It is the home; another region is faster, but by too small a fraction. */
  | 'keptBySmallShare'
  /** It is the home; it was not measured, but was heard from recently. */
  | 'keptHeard'
  /** It is the home, something came from it in the last two minutes, and no region was measured. */
  | 'keptUnmeasured'
  /** It is clearly faster than the home. */
  | 'faster'
  /** The home no longer responds. */
  | 'lost'
  /** The home is no longer allowed, by the map or the avoid list. */
  | 'excluded'
  /** There is no home: no allowed region responds. */
  | 'none'

/** The home region, and why it was chosen. */
export interface HomeChoice {
  /** Undefined if no region qualifies. */
  readonly regionId: number | undefined
  /** Why it is home, for programs. */
  readonly reason: HomeReason
  /** The reason in words, for logs, such as `region 1 kept: region 2 is only 4.0 ms faster`. */
  readonly explanation: string
}

/**
 * The reports still recent enough for the next choice.
 *
 * @example
 * ```ts
 * const nowMs = Date.now()
 * const history = [{ startedAtMs: nowMs - 600_000, atMs: nowMs - 599_000, latencyMs: { 900: 12 } }]
 * console.log(recentReports(history, nowMs)) // too old
 * ```
 */
export function recentReports(reports: readonly LatencyReport[], nowMs: number): readonly LatencyReport[] {
  return reports.filter(({ atMs }) => nowMs - atMs <= MAX_AGE_MS)
}

/**
 * Picks the home region. Among equally fast regions the lowest ID wins.
 *
 * @example
 * ```ts
 * const nowMs = Date.now()
 * const report = { startedAtMs: nowMs - 500, atMs: nowMs, latencyMs: { 1: 24, 900: 8.5 } }
 * const { regionId, explanation } = pickHome({ map, report, current: 1, nowMs })
 * ```
 */
export function pickHome(input: HomeInput): HomeChoice {
  const { current, pins = [] } = input
  const allowed = allowedRegions(input)
  const pinned = pins.find(id => allowed.has(id) && answers(input, id))
  if (pinned !== undefined) return choice(pinned, 'pinned', 'is pinned')
  const usable = withoutAvoided(input, allowed)
  const best = bestRegion(input, usable)
  if (best === undefined) return withoutMeasurement(input, usable)
  if (current === undefined) return choice(best.id, 'first', `chosen: fastest at ${ms(best.latencyMs)}`)
  if (best.id === current) return choice(current, 'fastest', `kept: still fastest at ${ms(best.latencyMs)}`)
  if (!usable.has(current)) return choice(best.id, 'excluded', `chosen: region ${current} is no longer allowed`)
  if (!answers(input, current)) return choice(best.id, 'lost', `chosen: region ${current} does not respond`)
  const latencyMs = input.report.latencyMs[current]
  if (latencyMs === undefined) return choice(current, 'keptHeard', 'kept: not measured, but heard from recently')
  return compare(best, { id: current, latencyMs: scaled(input, current, latencyMs) })
}

interface Candidate {
  readonly id: number
  /** With the region's score applied. */
  readonly latencyMs: number
}

/** Compares the home's current latency with the other's best: past speed must not favour the home. */
function compare(best: Candidate, current: Candidate): HomeChoice {
  const gainMs = current.latencyMs - best.latencyMs
  if (gainMs < MIN_GAIN_MS) {
    return choice(current.id, 'keptBySmallGain', `kept: region ${best.id} is only ${ms(Math.max(0, gainMs))} faster`)
  }
  if (best.latencyMs > current.latencyMs * MAX_SHARE_OF_CURRENT) {
    const percent = Math.round((100 * gainMs) / current.latencyMs)
    return choice(current.id, 'keptBySmallShare', `kept: region ${best.id} is only ${percent} % faster`)
  }
  return choice(best.id, 'faster', `chosen: ${ms(best.latencyMs)}, region ${current.id} takes ${ms(current.latencyMs)}`)
}

function withoutMeasurement(input: HomeInput, usable: ReadonlySet<number>): HomeChoice {
  const { current, heardAtMs = {}, nowMs } = input
  if (current !== undefined && usable.has(current)) {
    const atMs = heardAtMs[current]
    if (atMs !== undefined && nowMs - atMs < KEEP_ALIVE_HEARD_WITHIN_MS) {
      return choice(current, 'keptUnmeasured', 'kept: no region was measured, but it was heard from in the last 2 min')
    }
  }
  return { regionId: undefined, reason: 'none', explanation: 'no home: no allowed region responds' }
}

/** Regions of the map that may become home. */
function allowedRegions({ map, avoid = [] }: HomeInput): ReadonlySet<number> {
  return new Set(regionIds(map).filter(id => !avoid.includes(id) && !map.Regions?.[id]?.NoMeasureNoHome))
}

/** Leaves out regions that the map says to avoid, unless no other responds. */
function withoutAvoided({ map, report }: HomeInput, allowed: ReadonlySet<number>): ReadonlySet<number> {
  const rest = [...allowed].filter(id => !map.Regions?.[id]?.Avoid)
  return rest.some(id => report.latencyMs[id] !== undefined) ? new Set(rest) : allowed
}

/** The region that responded now and was fastest recently. */
function bestRegion(input: HomeInput, usable: ReadonlySet<number>): Candidate | undefined {
  const { report, history = [], nowMs } = input
  const recent = [...recentReports(history, nowMs), report]
  let best: Candidate | undefined
  for (const id of usable) {
    if (report.latencyMs[id] === undefined) continue
    const latencyMs = scaled(input, id, Math.min(...recent.map(({ latencyMs }) => latencyMs[id] ?? Infinity)))
    if (best === undefined || latencyMs < best.latencyMs) best = { id, latencyMs }
  }
  return best
}

function scaled({ map }: HomeInput, id: number, latencyMs: number): number {
  const score = map.HomeParams?.RegionScore?.[id] ?? 1
  return score > 0 ? latencyMs * score : latencyMs
}

/** Whether the region was measured, or heard from since the measurement began or a moment ago. */
function answers({ report, heardAtMs = {}, nowMs }: HomeInput, id: number): boolean {
  if (report.latencyMs[id] !== undefined) return true
  const atMs = heardAtMs[id]
  return atMs !== undefined && (atMs > report.startedAtMs || nowMs - atMs < HEARD_WITHIN_MS)
}

function choice(regionId: number, reason: HomeReason, why: string): HomeChoice {
  return { regionId, reason, explanation: `region ${regionId} ${why}` }
}

const ms = (value: number): string => `${value.toFixed(1)} ms`
