/** Results as Markdown tables, also readable on a terminal. */

import { type AimResult, judge } from '../aims.ts'
import { CONTENDER_IDS, type ContenderId, hasTwoWorkers } from '../contender.ts'
import type { FigureResult, Results, ScenarioResult } from '../results.ts'
import { ratioSpread, type Spread, shortNumber, spreadOf } from '../statistics.ts'

/** Short names, for columns. */
export const NAMES: Readonly<Record<ContenderId, string>> = {
  'ours-bun': 'Bun',
  ours: 'Node',
  newest: 'newest',
  stock: 'stock',
  'ours-bun-2-workers': 'Bun, 2 workers',
  'ours-2-workers': 'Node, 2 workers',
  'against-bun': 'before, Bun',
  against: 'before, Node',
}

/** What is compared with what, in column order. */
const RATIOS: readonly (readonly [of: ContenderId, to: ContenderId])[] = [
  ['ours-bun', 'newest'],
  ['ours', 'newest'],
  ['ours-bun', 'stock'],
  ['ours', 'stock'],
  ['ours-bun-2-workers', 'ours-bun'],
  ['ours-2-workers', 'ours'],
  ['ours-bun', 'against-bun'],
  ['ours', 'against'],
]

/** The aims, and how this run compares. */
export function aimsTable(results: Results): string {
  const row = ({ aim, measured, verdict }: AimResult) => [
    aim.title,
    ratioName(aim.of, aim.to),
    aim.aim.toFixed(2),
    aim.atLeast.toFixed(2),
    measured === undefined ? '' : `**${measured.median.toFixed(2)}**`,
    measured === undefined ? '' : `${measured.min.toFixed(2)}–${measured.max.toFixed(2)}`,
    verdict,
  ]
  const head = ['figure', 'ratio', 'aim', 'at least', 'measured', 'least–greatest', '']
  return table(head, judge(results).map(row), 'llrrrrl')
}

/** Every figure of every scenario: medians and ratios; those with two workers have a table of their own. */
export function figuresTable(results: Results): string {
  const withWorkers = (scenario: ScenarioResult) => measuredIn([scenario]).some(hasTwoWorkers)
  return [results.scenarios.filter(one => !withWorkers(one)), results.scenarios.filter(withWorkers)]
    .filter(scenarios => scenarios.length > 0)
    .map(tableOf)
    .join('\n\n')
}

/** What the README tells: figures of scenarios, in the words of a reader who knows none of them. */
const SUMMARY = [
  ['cpu-plain-1280-20', 'cpu', 'CPU per packet of 1280 B, µs'],
  ['cpu-tls-1280-20', 'cpu', 'the same over TLS, µs'],
  ['login-tls', 'cpu', 'CPU per TLS login, µs'],
  ['memory-tls-4000', 'rss', 'memory per idle TLS connection, KB'],
  ['memory-tls-4000', 'total', 'memory with 4,000 of them, MB'],
  ['storm-tls', 'stormP99', 'round trip p99 during a storm of TLS logins, µs'],
] as const
const SUMMARY_IDS = ['ours-bun', 'ours', 'newest', 'stock'] as const

/** Medians and ratios of a few figures, for the README. */
export function summaryTable({ scenarios, contenders }: Results): string {
  const release = (id: ContenderId) => (contenders.find(each => each.id === id)?.label ?? '').replace(/ \(.*/, '')
  const rows = SUMMARY.map(([scenario, id, title]) => {
    const figure = scenarios.find(each => each.id === scenario)?.figures.find(each => each.id === id)
    if (figure === undefined) throw new Error(`summarise results: no figure "${id}" of scenario "${scenario}"`)
    const ratios = [ratioOf(figure, 'ours-bun', 'newest'), ratioOf(figure, 'ours', 'newest')]
    return [title, ...SUMMARY_IDS.map(each => medianOf(figure, each)), ...ratios]
  })
  const ratios = [ratioName('ours-bun', 'newest'), ratioName('ours', 'newest')]
  return table(['', 'ours, Bun', 'ours, Node', release('newest'), release('stock'), ...ratios], rows, 'lrrrrrr')
}

function tableOf(scenarios: readonly ScenarioResult[]): string {
  const measured = measuredIn(scenarios)
  const ids = CONTENDER_IDS.filter(id => measured.includes(id))
  const ratios = RATIOS.filter(([of, to]) => ids.includes(of) && ids.includes(to))
  const rows = scenarios.flatMap(({ title, figures }) =>
    figures
      .filter(({ values }) => Object.values(values).some(numbers => numbers.some(value => value !== 0)))
      .map(figure => [
        title,
        `${figure.title}${figure.unit === '' ? '' : `, ${figure.unit}`}`,
        ...ids.map(id => medianOf(figure, id)),
        ...ratios.map(([of, to]) => ratioOf(figure, of, to)),
      ]),
  )
  const head = ['scenario', 'figure', ...ids.map(id => NAMES[id]), ...ratios.map(([of, to]) => ratioName(of, to))]
  return table(head, rows, `ll${'r'.repeat(ids.length + ratios.length)}`)
}

function measuredIn(scenarios: readonly ScenarioResult[]): readonly ContenderId[] {
  return scenarios.flatMap(({ figures }) => figures.flatMap(({ values }) => Object.keys(values) as ContenderId[]))
}

const ratioName = (of: ContenderId, to: ContenderId) => `${NAMES[of]} / ${NAMES[to]}`

/** When and where a run was made, in one line. */
export function runSummary({ date, rounds, machine }: Results): string {
  return `Medians of ${rounds} rounds of ${date.slice(0, 10)} on ${machine.cores} cores (${machine.processor}); ratios with their least and greatest.`
}

/** Date, machine and versions of a run. */
export function runLines(results: Results): string {
  const { machine, contenders } = results
  return [
    `- ${results.date}, commit ${results.commit}, ${results.rounds} rounds`,
    `- ${machine.processor}, ${machine.cores} cores, ${machine.gigabytes} GB, ${results.system}`,
    `- Node ${results.node}, Go ${results.go}`,
    ...contenders.map(({ id, label }) => `- ${NAMES[id]}: ${label}`),
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

function ratioOf({ id: figure, values }: FigureResult, of: ContenderId, to: ContenderId): string {
  const spread = figure === 'others' ? undefined : ratioSpread(values[of] ?? [], values[to] ?? [])
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
