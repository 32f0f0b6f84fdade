/** Writes docs/understand/mutation.md from what `npm run mutation` reported; names survivors that have no reason yet. */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fillMarkers } from '../bench/report/document.ts'
import { type MutationReport, type Reasons, scoresTable, survivors, survivorsTable } from '../test/mutation/report.ts'

const ROOT = join(import.meta.dirname, '..')
const PAGE = 'docs/understand/mutation.md'
const json = (path: string): unknown => JSON.parse(readFileSync(join(ROOT, path), 'utf8'))

const reasons = json('test/mutation/reasons.json') as Reasons
const reports = ['core', 'edges'].map(name => json(`reports/mutation/${name}.json`) as MutationReport)
const left = reports.flatMap(report => survivors(report, reasons))

const text = readFileSync(join(ROOT, PAGE), 'utf8')
const parts = { scores: () => scoresTable(reports), survivors: () => survivorsTable(left) }
writeFileSync(join(ROOT, PAGE), fillMarkers(text, { page: PAGE, prefix: 'mutation', parts }, undefined))

const unexplained = left.filter(({ reason }) => reason === undefined)
for (const { file, text: line, mutators } of unexplained) console.log(`${file}: ${line} (${mutators.join(', ')})`)
if (unexplained.length > 0) {
  console.log(`${unexplained.length} survivors without a reason: test them, or say why in test/mutation/reasons.json`)
  process.exitCode = 1
}
