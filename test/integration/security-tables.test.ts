/** The tables of limits and threats name what exists: flags, counters, and tests. */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { DERPER_FLAGS } from '../../src/cli/derper/derper-flags.ts'
import { LIMIT_FLAGS } from '../../src/cli/derper/flags/limits.ts'
import { REFUSAL_REASONS } from '../../src/metrics/connection-counters.ts'
import { DROP_REASONS } from '../../src/metrics/drop-reason.ts'
import { readText } from '../support/deploy-files.ts'
import { EXPORTED_SERIES } from '../support/exported-series.ts'

/** Cells of the table between two marks, without its head. */
function rowsOf(path: string, mark: string): string[][] {
  const [, table = ''] = readText(path).split(new RegExp(`<!-- /?${mark} -->`))
  const lines = table.split('\n').filter(line => line.startsWith('|'))
  return lines.slice(2).map(line =>
    line
      .split('|')
      .slice(1, -1)
      .map(cell => cell.trim()),
  )
}

const LIMITS = rowsOf('docs/operate/limits.md', 'limits')
const THREATS = rowsOf('SECURITY.md', 'threats')
const FAULTS = rowsOf('docs/understand/security/faults.md', 'faults')

/** Flags of the section that bound nothing, or only tell how dead clients are noticed. */
const NO_LIMITS: ReadonlySet<string> = new Set(['tcp-keepalive-time', 'tcp-user-timeout'])

/** Label values that a counter may have. */
const LABELS: Readonly<Record<string, readonly string[]>> = {
  derphttp_connections_refused: REFUSAL_REASONS,
  derphttp_packets_dropped: DROP_REASONS,
}

test.each([
  ['docs/operate/limits.md', LIMITS],
  ['SECURITY.md', THREATS],
  ['docs/understand/security/faults.md', FAULTS],
])('each row of the table in %s names a test that exists', (_, rows) => {
  expect(rows.length).toBeGreaterThan(15)
  for (const row of rows) {
    const [, path = 'none'] = /`([^`]+\.test\.ts)`/.exec(row.at(-1) ?? '') ?? []
    expect(existsSync(join(import.meta.dirname, '../..', path)), row.join(' | ')).toBe(true)
  }
})

test('each limit names flags that derper has, and counters that it exports', () => {
  const flags = Object.keys(DERPER_FLAGS)
  for (const [resource, , flag = '', , counter = ''] of LIMITS) {
    const named = [...flag.matchAll(/-([\w-]+)/g)].map(([, name]) => name)
    expect(
      named.filter(name => !flags.includes(name as string)),
      resource,
    ).toEqual([])
    if (counter === 'none') continue
    const [, series = '', label, value] = /`(\w+)(?:\{(\w+)="(\w+)"\})?`/.exec(counter) ?? []
    expect(EXPORTED_SERIES.has(series), `${resource}: ${counter}`).toBe(true)
    if (label !== undefined) expect(EXPORTED_SERIES.get(series), counter).toContain(label)
    if (LABELS[series] !== undefined) expect(LABELS[series], counter).toContain(value)
  }
})

test('every flag of the limits is in the table of limits', () => {
  const told = LIMITS.map(([, , flag]) => flag).join(' ')
  const limits = Object.keys(LIMIT_FLAGS).filter(name => !NO_LIMITS.has(name))
  expect(limits.filter(name => !told.includes(`\`-${name}\``))).toEqual([])
})

test('the threat model has all who may do harm', () => {
  const actors = ['stranger', 'client', 'mesh peer', 'region peer', 'NATS', 'operator', 'network', 'admission source']
  expect([...new Set(THREATS.map(([who]) => who))]).toEqual([...actors, 'certificate authority', 'supply chain'])
})
