/** The state of a probe as values, and as JSON under the names of the original. Pure. */

import type { Labels } from './probe-class.ts'

export type ProbeStatus = 'unknown' | 'running' | 'failed' | 'succeeded'

/** A snapshot of a probe. Times are milliseconds since 1970. */
export interface ProbeInfo {
  readonly name: string
  readonly class: string
  /** Negative for a continuous probe: the pause after a failure. */
  readonly intervalMs: number
  readonly labels: Labels
  /** Undefined before the first run. */
  readonly startedAtMs: number | undefined
  /** Undefined before the first run has ended. */
  readonly endedAtMs: number | undefined
  /** Of the last run, if it succeeded. */
  readonly latencyMs: number | undefined
  readonly status: ProbeStatus
  /** Of the last run, if it failed. */
  readonly error: string | undefined
  /** Remarks of the last run. */
  readonly notes: readonly string[]
  /** Results of the last {@link RECENT_RUNS} runs, oldest first. */
  readonly recentResults: readonly boolean[]
  /** Latencies of as many successful runs, oldest first. */
  readonly recentLatenciesMs: readonly number[]
}

/** Runs that are remembered. */
export const RECENT_RUNS = 10

export function isContinuous({ intervalMs }: Pick<ProbeInfo, 'intervalMs'>): boolean {
  return intervalMs < 0
}

/** Share of recent runs that succeeded; 0 before the first. */
export function recentSuccessRatio({ recentResults }: Pick<ProbeInfo, 'recentResults'>): number {
  if (recentResults.length === 0) return 0
  return recentResults.filter(Boolean).length / recentResults.length
}

/** Median of the recent latencies; 0 without any. */
export function recentMedianMs({ recentLatenciesMs }: Pick<ProbeInfo, 'recentLatenciesMs'>): number {
  return recentLatenciesMs.toSorted((a, b) => a - b)[recentLatenciesMs.length >> 1] ?? 0
}

/** `3.25ms` or `1.234s`: to the microsecond, as short as that allows. */
export function formatLatency(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms * 1_000) / 1_000}ms` : `${Math.round(ms) / 1_000}s`
}

/** Go's zero time. */
const NO_TIME = '0001-01-01T00:00:00Z'
const NANOSECONDS_PER_MS = 1_000_000

/** The object of `/debug/probe-run` and `/debug/probe-all`; times in RFC 3339, durations in nanoseconds. */
export function probeInfoJson(info: ProbeInfo): Record<string, unknown> {
  return {
    Name: info.name,
    Class: info.class,
    Interval: nanoseconds(info.intervalMs),
    Labels: { name: info.name, class: info.class, ...info.labels },
    Start: timeText(info.startedAtMs),
    End: timeText(info.endedAtMs),
    Latency: nanoseconds(info.latencyMs ?? 0),
    Status: info.status,
    Error: info.error ?? '',
    RecentResults: info.recentResults,
    RecentLatencies: info.recentLatenciesMs.map(nanoseconds),
    Notes: info.notes,
  }
}

export function nanoseconds(ms: number): number {
  return Math.round(ms * NANOSECONDS_PER_MS)
}

function timeText(ms: number | undefined): string {
  return ms === undefined ? NO_TIME : new Date(ms).toISOString()
}
