/** A running load test, redrawn in place each second. Pure. */

import { formatByteRate } from '../../amounts.ts'
import { latencyLine } from '../netcheck/watch-text.ts'
import { type IntervalReport, intervalReport } from './bench-report.ts'
import type { Interval } from './bench-run.ts'
import { formatMs } from './report-text.ts'
import type { Tally } from './tally.ts'

/** Columns besides the lines. */
const LABEL_COLUMNS = 34
const MIN_LINE_COLUMNS = 10

export class LiveView {
  readonly #lineColumns: number
  readonly #durationMs: number
  readonly #rows: IntervalReport[] = []
  #lastEndMs = 0
  #drawnLines = 0

  /** @param columns width of the terminal. */
  constructor(columns: number, durationMs: number) {
    this.#lineColumns = Math.max(MIN_LINE_COLUMNS, columns - LABEL_COLUMNS)
    this.#durationMs = durationMs
  }

  /** The text for the next second. */
  next({ endMs, tally }: Interval, { counts: { sent, received, unsent, failures } }: Tally): string {
    const row = intervalReport(endMs, tally)
    this.#rows.push(row)
    if (this.#rows.length > this.#lineColumns) this.#rows.shift()
    const ms = endMs - this.#lastEndMs
    this.#lastEndMs = endMs
    const perSecond = `${((row.received * 1_000) / ms).toFixed(0)} packets/s`
    const trouble = `${unsent > 0 ? `, not sent in time ${unsent}` : ''}${failures > 0 ? `, failed calls ${failures}` : ''}`
    return this.#draw([
      `${(endMs / 1_000).toFixed(0)} of ${this.#durationMs / 1_000} s, sent ${sent}, received ${received}${trouble}`,
      this.#line('received', perSecond, each => each.received),
      this.#line('', formatByteRate(row.receivedBytes, ms), each => each.receivedBytes),
      this.#line('latency', `p50 ${formatMs(row.latencyMs.p50)}`, each => each.latencyMs.p50),
      this.#line('', `p99 ${formatMs(row.latencyMs.p99)}`, each => each.latencyMs.p99),
    ])
  }

  /** Erases it. */
  clear(): string {
    const lines = this.#drawnLines
    this.#drawnLines = 0
    return lines === 0 ? '' : `\x1b[${lines}A\x1b[J`
  }

  #line(label: string, value: string, of: (row: IntervalReport) => number | null): string {
    return `  ${label.padEnd(9)} ${value.padEnd(20)} ${latencyLine(this.#rows.map(row => of(row) ?? undefined))}`
  }

  #draw(lines: readonly string[]): string {
    const begin = this.clear()
    this.#drawnLines = lines.length
    return `${begin}${lines.map(line => `${line}\n`).join('')}`
  }
}
