import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readProtocolPages } from '../../scripts/clause-pages.ts'
import { ALL_CASES } from './cases/index.ts'

const differences = readFileSync(join(import.meta.dirname, '../../docs/understand/differences.md'), 'utf8')
const protocol = [...readProtocolPages().values()].join('\n')

test('conformance suite has at least 200 cases with unique names', () => {
  const ids = ALL_CASES.map(({ id }) => id)
  expect(ids.length).toBeGreaterThanOrEqual(200)
  expect(new Set(ids).size).toBe(ids.length)
})

test('conformance cases cite clauses that exist', () => {
  for (const { id, clauses } of ALL_CASES) {
    expect(clauses.length, id).toBeGreaterThan(0)
    for (const clause of clauses) expect(protocol, id).toContain(`### ${clause} `)
  }
})

test('conformance cases with two expectations are listed in docs/understand/differences.md', () => {
  for (const { id, differs } of ALL_CASES) {
    if (differs === undefined) continue
    const row = differences.split('\n').find(line => line.startsWith(`| ${differs} |`))
    expect(row, id).toContain(`\`${id}\``)
  }
})
