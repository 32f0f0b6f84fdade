import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { publicDocs } from './public-docs.ts'

const ENTRIES = ['browser', 'client', 'derphttp', 'protocol', 'server', 'stun']

const SOURCE = [
  '/** A thing (P-001). */',
  'export class Thing {',
  '  /** Hidden (P-002). */',
  '  readonly #secret = 1',
  '  /** Does it (P-003). */',
  '  async act(): Promise<void> {}',
  '}',
  '/** Not exported by the entry (P-004). */',
  'export const other = 1',
].join('\n')

test('publicDocs finds the comments of exported symbols and their public members', () => {
  const files: Record<string, string> = {
    'src/entries/x.ts': "export { Thing as Renamed } from '../thing.ts'\n",
    'src/thing.ts': SOURCE,
  }
  const docs = publicDocs('src/entries/x.ts', path => files[path] ?? '')
  expect(docs.map(({ symbol, text }) => `${symbol}:${text}`)).toEqual([
    'Thing: A thing (P-001). ',
    'Thing.act: Does it (P-003). ',
  ])
})

test.each(ENTRIES)('doc comments of the entry %s cite no clauses', entry => {
  const docs = publicDocs(`src/entries/${entry}.ts`, path => readFileSync(path, 'utf8'))
  expect(docs.length).toBeGreaterThan(50)
  const citing = docs.filter(({ text }) => /\bP-\d{3}\b/.test(text)).map(({ path, symbol }) => `${path} ${symbol}`)
  expect(citing).toEqual([])
})
