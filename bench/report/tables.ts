/** Results as Markdown tables, also readable on a terminal. */

import { type AimResult, judge } from '../aims.ts'
import type { ContenderId } from '../contender.ts'
import type { FigureResult, Results } from '../results.ts'
import { ratioSpread, type Spread, shortNumber, spreadOf } from '../statistics.ts'

/** The aims, and how this run compares. */
export function aimsTable(results: Results): string {
  const row = ({ aim, measured, verdict }: AimResult) => [
    aim.title,
    aim.aim.toFixed(2),
    aim.atLeast.toFixed(2),
    measured === undefined ? '' : `**${measured.median.toFixed(2)}**`,
    measured === undefined ? '' : `${measured.min.toFixed(2)}–${measured.max.toFixed(2)}`,
    verdict,
  ]
  return table(['ratio', 'aim', 'at least', 'measured', 'least–greatest', ''], judge(results).map(row), 'lrrrrl')
}

/** Every figure of every scenario: medians, and ratios of ours to each of the others. */
export function figuresTable(results: Results): string {
  const ids = results.contenders.map(({ id }) => id)
  const others = ids.filter(id => id !== 'ours')
  const rows = results.scenarios.flatMap(({ title, figures }) =>
    figures
      .filter(({ values }) => Object.values(values).some(numbers => numbers.some(value => value !== 0)))
      .map(figure => [
        title,
        `${figure.title}${figure.unit === '' ? '' : `, ${figure.unit}`}`,
        ...ids.map(id => medianOf(figure, id)),
        ...others.map(id => ratioOf(figure, id)),
      ]),
  )
  const head = ['scenario', 'figure', ...ids, ...others.map(id => `ours / ${id}`)]
  return table(head, rows, `ll${'r'.repeat(ids.length + others.length)}`)
}

/** Date, machine and versions of a run. */
export function runLines(results: Results): string {
  const { machine, contenders } = results
  return [
    `- ${results.date}, commit ${results.commit}, ${results.rounds} rounds`,
    `- ${machine.processor}, ${machine.cores} cores, ${machine.gigabytes} GB, ${results.system}`,
    `- Node ${results.node}, Go ${results.go}`,
    ...contenders.map(({ id, label }) => `- ${id}: ${label}`),
    ...othersLine(results),
  ].join('\n')
}

/** CPU use of other programs, if measured. */
function othersLine({ scenarios }: Results): readonly string[] {
  const others = scenarios.flatMap(({ figures }) => figures.filter(({ id }) => id === 'others'))
  const shares = others.flatMap(({ values }) => Object.values(values).flat())
  if (shares.length === 0) return []
  return [`- other programs used ${shortNumber(spreadOf(shares).median)} % of the machine (median of all measurements)`]
}

function medianOf({ values }: FigureResult, id: ContenderId): string {
  const numbers = values[id] ?? []
  return numbers.length === 0 ? '' : shortNumber(spreadOf(numbers).median)
}

function ratioOf({ id: figure, values }: FigureResult, id: ContenderId): string {
  const spread = figure === 'others' ? undefined : ratioSpread(values['ours'] ?? [], values[id] ?? [])
  return spread === undefined ? '' : formatSpread(spread)
}

const formatSpread = ({ min, median, max }: Spread) => `${median.toFixed(2)} (${min.toFixed(2)}–${max.toFixed(2)})`

/** A table whose columns are aligned by `l` and `r`. */
export function table(head: readonly string[], rows: readonly (readonly string[])[], alignment: string): string {
  const widths = head.map((title, at) => Math.max(title.length, 3, ...rows.map(row => row[at]?.length ?? 0)))
  const right = (at: number) => alignment[at] === 'r'
  const pad = (text: string, at: number) =>
    right(at) ? text.padStart(widths[at] as number) : text.padEnd(widths[at] as number)
  const line = (row: readonly string[]) => `| ${row.map(pad).join(' | ')} |`
  const rule = widths.map((width, at) => (right(at) ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width)))
  return [line(head), line(rule), ...rows.map(line)].join('\n')
}
