/** Latencies as sparklines, redrawn in place on a terminal. Pure. */

import { regionIds } from '../../../derpmap/regions.ts'
import type { DERPMap } from '../../../derpmap/types.ts'
import { type Report, stunMs } from '../../../netcheck/report.ts'
import { goDuration } from './report-text.ts'

const BARS = '▁▂▃▄▅▆▇█'
/** Drawn for a missing response. */
const GAP = '·'
/** Columns for mark, code, time and name. */
const LABEL_COLUMNS = 40
const MIN_LINE_COLUMNS = 10
const LINE_COLUMNS = 60

export class LatencyWatch {
  readonly #map: DERPMap
  readonly #columns: number | undefined
  readonly #times = new Map<number, (number | undefined)[]>()
  #drawnLines = 0

  /** @param columns width of the terminal; undefined if there is none: each report is then printed below the last. */
  constructor(map: DERPMap, columns: number | undefined) {
    this.#map = map
    this.#columns = columns
  }

  /** The text for the next report. */
  next(report: Report): string {
    const ids = regionIds(this.#map)
    for (const id of ids) this.#note(id, report)
    const lines = ids.map(id => this.#line(id, report))
    const isTerminal = this.#columns !== undefined
    // Moves the cursor to the first line; each line is erased before it is drawn.
    const begin = isTerminal && this.#drawnLines > 0 ? `\x1b[${this.#drawnLines}A` : ''
    const erase = isTerminal ? '\x1b[2K' : ''
    this.#drawnLines = lines.length
    return `${begin}${lines.map(line => `${erase}${line}\n`).join('')}${isTerminal ? '' : '\n'}`
  }

  #note(id: number, { regions, latency }: Report): void {
    const region = regions.get(id)
    const times = this.#times.get(id) ?? []
    times.push((region && stunMs(region)) ?? latency.latencyMs[id])
    if (times.length > this.#lineColumns) times.shift()
    this.#times.set(id, times)
  }

  get #lineColumns(): number {
    if (this.#columns === undefined) return LINE_COLUMNS
    return Math.max(MIN_LINE_COLUMNS, this.#columns - LABEL_COLUMNS)
  }

  #line(id: number, { home }: Report): string {
    const { RegionCode: code = '', RegionName: name = '' } = this.#map.Regions?.[id] ?? {}
    const times = this.#times.get(id) ?? []
    const last = times.at(-1)
    const mark = home.regionId === id ? '*' : ' '
    const time = last === undefined ? 'none' : goDuration(last)
    return `${mark} ${code.padStart(3)}: ${time.padEnd(7)} ${latencyLine(times)} (${name})`
  }
}

/** One character per time, scaled to the longest one. */
export function latencyLine(times: readonly (number | undefined)[]): string {
  const most = Math.max(...times.map(ms => ms ?? 0))
  return times
    .map(ms => {
      if (ms === undefined) return GAP
      const height = most === 0 ? 0 : Math.round((ms / most) * (BARS.length - 1))
      return BARS[height]
    })
    .join('')
}
