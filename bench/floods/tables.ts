/** Results of floods as Markdown tables, also readable on a terminal. */

import type { ContenderId } from '../contender.ts'
import { table } from '../report/tables.ts'
import type { FigureResult, Results, ScenarioResult } from '../results.ts'
import { shortNumber, spreadOf } from '../statistics.ts'

/** The aim: at most this multiple of stock's p99, or at most this many milliseconds. */
const AIM_TIMES = 3
const AIM_MS = 20

const OURS = ['ours', 'ours-bun'] as const
const ALL = [...OURS, 'stock'] as const
const NAMES: Partial<Record<ContenderId, string>> = { ours: 'Node', 'ours-bun': 'Bun', stock: 'stock' }
/** Figures of every flood; what is left says what the attackers achieved. */
const COMMON: readonly string[] = ['p50', 'p99', 'max', 'lost', 'cpu', 'perKib', 'sent', 'rss', 'others']

/** Ages of the pair's packets in milliseconds, and how they compare with the aim. */
export function latencyTable({ scenarios }: Results): string {
  const rows = scenarios.map(flood => [
    `\`${flood.id}\``,
    ...ALL.map(id => medianOf(flood, 'p50', id)),
    ...ALL.map(id => medianOf(flood, 'p99', id)),
    ...ALL.map(id => medianOf(flood, 'lost', id)),
    OURS.map(id => verdictOf(flood, id)).join(', '),
  ])
  const head = ['p50', 'p99', 'lost, %'].flatMap(title => ALL.map(id => `${title} ${NAMES[id]}`))
  return table(['flood', ...head, 'Node, Bun'], rows, `l${'r'.repeat(head.length)}l`)
}

/** What a flood costs the relay, and what it achieves. */
export function costTable({ scenarios }: Results): string {
  const figures = ['cpu', 'perKib', 'rss'] as const
  const titles = { cpu: 'CPU s/s', perKib: 'CPU µs/KiB', rss: 'MB' }
  const rows = scenarios.map(flood => [
    `\`${flood.id}\``,
    ...figures.flatMap(figure => ALL.map(id => medianOf(flood, figure, id))),
    outcomeOf(flood),
  ])
  const head = figures.flatMap(figure => ALL.map(id => `${titles[figure]} ${NAMES[id]}`))
  return table(['flood', ...head, 'outcome: Node, Bun, stock'], rows, `l${'r'.repeat(head.length)}l`)
}

/** Whether the median p99 is within the aim. */
export function isWithinAim(ours: number, stock: number): boolean {
  return ours <= AIM_MS || ours <= AIM_TIMES * stock
}

function verdictOf(flood: ScenarioResult, id: ContenderId): string {
  const [ours, stock] = [median(flood, 'p99', id), median(flood, 'p99', 'stock')]
  if (ours === undefined || stock === undefined) return ''
  return isWithinAim(ours, stock) ? 'well' : `**${shortNumber(ours / stock)} times**`
}

function outcomeOf(flood: ScenarioResult): string {
  const figure = flood.figures.find(({ id }) => !COMMON.includes(id))
  if (figure === undefined) return ''
  return `${figure.title}: ${ALL.map(id => medianOf(flood, figure.id, id)).join(', ')}${figure.unit === 's' ? ' s' : ''}`
}

function medianOf(flood: ScenarioResult, figure: string, id: ContenderId): string {
  const value = median(flood, figure, id)
  return value === undefined ? '' : shortNumber(value)
}

function median({ figures }: ScenarioResult, id: FigureResult['id'], contender: ContenderId): number | undefined {
  const numbers = figures.find(figure => figure.id === id)?.values[contender] ?? []
  return numbers.length === 0 ? undefined : spreadOf(numbers).median
}
