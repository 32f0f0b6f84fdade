/** The result of a load test as CSV: a line per second, and one for all. Pure. */

import type { BenchReport, IntervalReport } from './bench-report.ts'

const COLUMNS: readonly (readonly [name: string, of: (row: Omit<IntervalReport, 'seconds'>) => number | null])[] = [
  ['sent', row => row.sent],
  ['sent_bytes', row => row.sentBytes],
  ['received', row => row.received],
  ['received_bytes', row => row.receivedBytes],
  ['unsent', row => row.unsent],
  ['failures', row => row.failures],
  ['mean_ms', row => row.latencyMs.mean],
  ['p50_ms', row => row.latencyMs.p50],
  ['p90_ms', row => row.latencyMs.p90],
  ['p99_ms', row => row.latencyMs.p99],
  ['p999_ms', row => row.latencyMs.p999],
  ['max_ms', row => row.latencyMs.max],
]

export function reportCsv(report: BenchReport): string {
  const head = ['seconds', ...COLUMNS.map(([name]) => name)]
  const lines = [head, ...report.intervals.map(row => lineOf(String(row.seconds), row)), lineOf('total', report)]
  return lines.map(cells => `${cells.join(',')}\n`).join('')
}

function lineOf(first: string, row: Omit<IntervalReport, 'seconds'>): string[] {
  return [first, ...COLUMNS.map(([, of]) => String(of(row) ?? ''))]
}
