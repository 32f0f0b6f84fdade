/** The result of a load test for people, with a drawn histogram. Pure. */

import { formatByteRate, formatBytes } from '../../amounts.ts'
import { textTable } from '../../text-table.ts'
import type { BenchReport, LatencyReport } from './bench-report.ts'

const BAR_COLUMNS = 40
const FULL = '█'
/** Parts of a character, by eighths. */
const PARTS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'] as const
/** Bounds of drawn buckets within a power of ten. */
const STEPS = [1, 2, 5] as const

export function reportText(report: BenchReport): string {
  const { sent, received, lost, unsent, failures, sentBytes, receivedBytes, seconds, lateMs } = report
  const trouble = [unsent > 0 && `not sent in time ${unsent}`, failures > 0 && `failed calls ${failures}`]
  const ms = seconds * 1_000
  const rows: string[][] = [
    ['packets', [`sent ${sent}`, `received ${received}`, `lost ${lost}`, ...trouble.filter(Boolean)].join(', ')],
    ['payload', `sent ${formatBytes(sentBytes)}, received ${formatBytes(receivedBytes)}`],
    ['received', `${report.receivedPerSecond.toFixed(0)} packets/s, ${formatByteRate(receivedBytes, ms)}`],
    ['latency', `${latencyText(report.latencyMs)}, from the ${report.latencyFrom}`],
    ...(lateMs === null ? [] : [['sent late', `${latencyText(lateMs)}, part of the latency`]]),
  ]
  const histogram = histogramLines(report.histogram)
  return `${[loadText(report), '', ...textTable(rows), ...(histogram.length > 0 ? ['', ...histogram] : [])].join('\n')}\n`
}

/** The load in a sentence. */
function loadText({ pairs, processes, sizes, rate, window, seconds }: BenchReport): string {
  const how = rate === null ? `as fast as possible with ${window} in flight per pair` : `${rate} packets/s in all`
  const where = processes === 1 ? '' : ` in ${processes} processes`
  const some = pairs.connected < pairs.wanted ? ` of ${pairs.wanted}` : ''
  const count = `${pairs.connected}${some} ${pairs.wanted === 1 ? 'pair' : 'pairs'}${where}`
  return `${count}, packets of ${sizes.join(', ')} bytes, ${how}, ${seconds} s`
}

export function latencyText({ p50, p90, p99, p999, max }: LatencyReport): string {
  if (max === null) return 'not measured'
  const named = Object.entries({ p50, p90, p99, 'p99.9': p999, max })
  return named.map(([name, ms]) => `${name} ${formatMs(ms)}`).join(', ')
}

/** Three digits or so. */
export function formatMs(ms: number | null): string {
  if (ms === null) return '—'
  return `${ms >= 99.95 ? ms.toFixed(0) : ms >= 9.995 ? ms.toFixed(1) : ms.toFixed(2)} ms`
}

/** A line per step of 1, 2, 5, 10 and so on, from the first to the last with packets. */
function histogramLines(histogram: BenchReport['histogram']): string[] {
  const longest = histogram.at(-1)?.[0]
  if (longest === undefined) return []
  const counts: { readonly bound: number; count: number }[] = boundsUpTo(longest).map(bound => ({ bound, count: 0 }))
  for (const [ms, count] of histogram) {
    const step = counts.find(({ bound }) => ms <= bound)
    if (step !== undefined) step.count += count
  }
  const shown = counts.slice(counts.findIndex(({ count }) => count > 0))
  const most = Math.max(...shown.map(({ count }) => count))
  const total = shown.reduce((sum, { count }) => sum + count, 0)
  const rows = shown.map(({ bound, count }) => [
    `≤ ${bound} ms`.padStart(10),
    String(count).padStart(String(most).length),
    `${((count / total) * 100).toFixed(1)} %`.padStart(7),
    barOf(count / most),
  ])
  return textTable(rows)
}

function boundsUpTo(ms: number): number[] {
  const bounds: number[] = []
  for (let exponent = -2; ; exponent++) {
    for (const step of STEPS) {
      const bound = Number(`${step}e${exponent}`)
      bounds.push(bound)
      if (bound >= ms) return bounds
    }
  }
}

/** Something is drawn for every count but 0. */
function barOf(share: number): string {
  const eighths = share === 0 ? 0 : Math.max(1, Math.round(share * BAR_COLUMNS * PARTS.length))
  return `${FULL.repeat(Math.floor(eighths / PARTS.length))}${PARTS[eighths % PARTS.length]}`
}
