/** How long each target was fuzzed, and docs/understand/security/fuzzing.md, which tells. */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fillMarkers } from '../bench/report/document.ts'
import { table } from '../bench/report/tables.ts'
import type { CampaignResult } from './engine/campaign.ts'
import { loadTarget, targetNames } from './engine/corpus.ts'

const ROOT = join(import.meta.dirname, '..')
const RECORD = join(ROOT, 'fuzz/record.json')
const PAGE = 'docs/understand/security/fuzzing.md'

/** What one target has had in all runs that were saved. */
interface FuzzTime {
  readonly seconds: number
  readonly runs: number
  /** Of the last run. */
  readonly inputs: number
  readonly reached: number
}

/** What a run tells. */
type Spent = Pick<CampaignResult, 'seconds' | 'runs' | 'inputs' | 'reached'>

/** What the page is made of. */
export interface FuzzReport {
  readonly record: Readonly<Record<string, FuzzTime>>
  /** Descriptions of all targets. */
  readonly about: ReadonlyMap<string, string>
}

const STOCK =
  'Inputs of `relay-session`, changed at random, sent to our relay and to stock `derper`: a client sees the same frames, or the same end of its connection. What is a matter of timing in the original is left out: the order of frames, and repeated pongs.'

const PARTS = { targets: targetsTable, times: timesTable }

export async function readReport(): Promise<{ readonly report: FuzzReport; readonly document: string }> {
  const about = new Map<string, string>()
  for (const name of targetNames()) about.set(name, (await loadTarget(name)).about)
  about.set('stock', STOCK)
  const record = JSON.parse(readFileSync(RECORD, 'utf8')) as FuzzReport['record']
  return { report: { record, about }, document: readFileSync(join(ROOT, PAGE), 'utf8') }
}

/** Adds a run, to the page as well. */
export async function addToRecord(name: string, { seconds, runs, inputs, reached }: Spent): Promise<void> {
  const { report, document } = await readReport()
  const before = report.record[name]
  const time = {
    seconds: Math.round((before?.seconds ?? 0) + seconds),
    runs: (before?.runs ?? 0) + runs,
    inputs: inputs.length,
    reached,
  }
  const sorted = Object.entries({ ...report.record, [name]: time }).toSorted(([a], [b]) => (a < b ? -1 : 1))
  const record = Object.fromEntries(sorted)
  writeFileSync(RECORD, `${JSON.stringify(record, undefined, 2)}\n`)
  writeFileSync(join(ROOT, PAGE), fillFuzzingPage(document, { ...report, record }))
}

/** Inserts the tables between their markers. @throws Error if a marker is missing. */
export function fillFuzzingPage(text: string, report: FuzzReport): string {
  return fillMarkers(text, { page: PAGE, prefix: 'fuzz', parts: PARTS }, report)
}

function targetsTable({ about }: FuzzReport): string {
  return table(
    ['target', 'input, and what must hold'],
    Array.from(about, ([name, text]) => [`\`${name}\``, text]),
    'll',
  )
}

function timesTable({ record, about }: FuzzReport): string {
  const rows = Array.from(about.keys(), name => {
    const { seconds = 0, runs = 0, inputs = 0, reached = 0 } = record[name] ?? {}
    return [`\`${name}\``, (seconds / 60).toFixed(1), runs.toLocaleString('en'), `${inputs}`, `${reached}`]
  })
  return table(['target', 'minutes', 'runs', 'inputs kept', 'places reached'], rows, 'lrrrr')
}
