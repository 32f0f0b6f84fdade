/** Makes docs/understand/mutation.md of what Stryker reported, and of why mutants survive. */

import { table } from '../../bench/report/tables.ts'

/** What is read of a report of Stryker (https://github.com/stryker-mutator/mutation-testing-elements). */
export interface MutationReport {
  readonly files: Readonly<Record<string, MutatedFile>>
}

interface MutatedFile {
  readonly source: string
  readonly mutants: readonly Mutant[]
}

interface Mutant {
  readonly mutatorName: string
  readonly status: string
  readonly location: { readonly start: { readonly line: number } }
}

/** By file, then by the text of the line: why a mutant of it may survive. */
export type Reasons = Readonly<Record<string, Readonly<Record<string, string>>>>

/** A line with mutants that no test found. */
export interface Survivor {
  /** Below src/. */
  readonly file: string
  readonly text: string
  /** Kinds of mutations, each once. */
  readonly mutators: readonly string[]
  /** Undefined if nobody has given one. */
  readonly reason: string | undefined
}

const LEFT: ReadonlySet<string> = new Set(['Survived', 'NoCoverage'])
const FOUND: ReadonlySet<string> = new Set(['Killed', 'Timeout'])

/** Lines of the same text in one file share a reason, so they share a row. */
export function survivors(report: MutationReport, reasons: Reasons): readonly Survivor[] {
  return Object.entries(report.files).flatMap(([path, { source, mutants }]) => {
    const file = path.replace(/^src\//, '')
    const lines = source.split('\n')
    const byText = Map.groupBy(
      mutants.filter(({ status }) => LEFT.has(status)),
      ({ location }) => (lines[location.start.line - 1] ?? '').trim(),
    )
    return Array.from(byText, ([text, left]) => {
      const mutators = [...new Set(left.map(({ mutatorName }) => mutatorName))]
      return { file, text, mutators, reason: reasons[file]?.[text] }
    })
  })
}

/** One row per folder of src. */
export function scoresTable(reports: readonly MutationReport[]): string {
  const files = reports.flatMap(({ files }) => Object.entries(files))
  const folders = Map.groupBy(files, ([path]) => path.split('/').slice(0, 2).join('/'))
  const rows = Array.from(folders, ([folder, of]) => {
    const count = (wanted: ReadonlySet<string>) =>
      of.flatMap(([, { mutants }]) => mutants).filter(({ status }) => wanted.has(status)).length
    const [found, left, timeouts] = [count(FOUND), count(LEFT), count(new Set(['Timeout']))]
    const score = ((100 * found) / (found + left)).toFixed(1)
    return [`\`${folder}\``, `${score} %`, `${found + left}`, `${found - timeouts}`, `${timeouts}`, `${left}`]
  })
  return table(['folder', 'score', 'mutants', 'found', 'timed out', 'survived'], rows, 'lrrrrr')
}

/** One row per line of code. */
export function survivorsTable(left: readonly Survivor[]): string {
  const rows = left.map(({ file, text, mutators, reason }) => [
    `\`${file}\``,
    `\`${text.replaceAll('|', '\\|').replaceAll('`', "'")}\``,
    mutators.join(', '),
    reason ?? '',
  ])
  return table(['file', 'line', 'mutations', 'why it survives'], rows, 'llll')
}
