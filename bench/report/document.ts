/** Keeps docs/understand/performance.md, a table of the README, the chart and the committed results in sync. */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Results } from '../results.ts'
import { ratioChart } from './chart.ts'
import { aimsTable, figuresTable, runLines, runSummary, summaryTable } from './tables.ts'

const ROOT = join(import.meta.dirname, '../..')
const RESULTS = join(ROOT, 'bench/results/latest.json')
const CHART = join(ROOT, 'bench/results/ratios.svg')
const DOCUMENT = join(ROOT, 'docs/understand/performance.md')
const README = join(ROOT, 'README.md')

const PARTS = {
  aims: aimsTable,
  run: runLines,
  figures: figuresTable,
} as const satisfies Record<string, (results: Results) => string>

const README_PARTS = { when: runSummary, summary: summaryTable } as const

/** Writes results, chart, document and README. */
export function writeDocument(results: Results): void {
  writeFileSync(RESULTS, `${JSON.stringify(results, undefined, 2)}\n`)
  writeFileSync(CHART, ratioChart(results))
  writeFileSync(DOCUMENT, fillDocument(readFileSync(DOCUMENT, 'utf8'), results))
  writeFileSync(README, fillReadme(readFileSync(README, 'utf8'), results))
}

/** What is committed. */
export interface CommittedResults {
  readonly results: Results
  readonly chart: string
  readonly document: string
  readonly readme: string
}

export function readDocument(): CommittedResults {
  const results: Results = JSON.parse(readFileSync(RESULTS, 'utf8'))
  const [chart, document, readme] = [CHART, DOCUMENT, README].map(path => readFileSync(path, 'utf8')) as [
    string,
    string,
    string,
  ]
  return { results, chart, document, readme }
}

/** Inserts tables between their markers. @throws Error if a marker is missing. */
export function fillDocument(text: string, results: Results): string {
  return fillMarkers(text, { page: 'docs/understand/performance.md', prefix: 'bench', parts: PARTS }, results)
}

/** The same for the README. */
export function fillReadme(text: string, results: Results): string {
  return fillMarkers(text, { page: 'README.md', prefix: 'bench', parts: README_PARTS }, results)
}

/** A page with marked parts. */
export interface MarkedPage<T> {
  readonly page: string
  readonly prefix: string
  readonly parts: Readonly<Record<string, (results: T) => string>>
}

/** The same for any page. */
export function fillMarkers<T>(text: string, { page, prefix, parts }: MarkedPage<T>, results: T): string {
  return Object.entries(parts).reduce((filled, [part, render]) => {
    const [begin, end] = [`<!-- ${prefix}:${part} -->\n`, `\n<!-- /${prefix}:${part} -->`]
    const [from, to] = [filled.indexOf(begin), filled.indexOf(end)]
    if (from < 0 || to < from) throw new Error(`fill ${page}: no markers for "${part}"`)
    return `${filled.slice(0, from + begin.length)}\n${render(results)}\n${filled.slice(to)}`
  }, text)
}
