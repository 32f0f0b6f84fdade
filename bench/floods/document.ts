/** Keeps docs/understand/security/floods.md and the committed results in sync. */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fillMarkers } from '../report/document.ts'
import { runLines } from '../report/tables.ts'
import type { Results } from '../results.ts'
import { costTable, latencyTable } from './tables.ts'

const ROOT = join(import.meta.dirname, '../..')
const FLOOD_RESULTS = join(ROOT, 'bench/results/floods.json')
const PAGE = 'docs/understand/security/floods.md'

const PARTS = { run: runLines, latency: latencyTable, cost: costTable }

/** Writes results and page. */
export function writeFloodDocument(results: Results): void {
  const document = readFileSync(join(ROOT, PAGE), 'utf8')
  writeFileSync(FLOOD_RESULTS, `${JSON.stringify(results, undefined, 2)}\n`)
  writeFileSync(join(ROOT, PAGE), fillFloodDocument(document, results))
}

/** The committed results and page. */
export function readFloodDocument(): { readonly results: Results; readonly document: string } {
  const results: Results = JSON.parse(readFileSync(FLOOD_RESULTS, 'utf8'))
  return { results, document: readFileSync(join(ROOT, PAGE), 'utf8') }
}

/** Inserts tables between their markers. @throws Error if a marker is missing. */
export function fillFloodDocument(text: string, results: Results): string {
  return fillMarkers(text, { page: PAGE, prefix: 'flood', parts: PARTS }, results)
}
