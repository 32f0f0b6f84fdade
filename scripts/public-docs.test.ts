import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { ENTRIES, publicDeclarations, undocumented } from './public-docs.ts'

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
  'export async function bare(): Promise<void> {}',
].join('\n')

const read = (path: string) => readFileSync(path, 'utf8')
const declared = (exported: string) =>
  publicDeclarations('src/entries/x.ts', path => (path === 'src/thing.ts' ? SOURCE : exported))

test('publicDeclarations finds exported symbols with their comments and those of their public members', () => {
  expect(declared("export { Thing as Renamed } from '../thing.ts'\n")).toEqual([
    {
      path: 'src/thing.ts',
      name: 'Renamed',
      kind: 'class',
      isType: false,
      doc: ' A thing (P-001). ',
      members: [{ name: 'act', text: ' Does it (P-003). ' }],
    },
  ])
})

test('undocumented names exports without a comment, and classes and functions without an example', () => {
  expect(undocumented(declared("export * from '../thing.ts'\n"))).toEqual([
    'src/thing.ts: the class Thing has no example',
    'src/thing.ts: bare has no doc comment',
  ])
})

test.each(ENTRIES)('doc comments of the entry %s cite no clauses', entry => {
  const declarations = publicDeclarations(`src/entries/${entry}.ts`, read)
  const docs = declarations.flatMap(({ path, name, doc = '', members }) => [
    { symbol: `${path} ${name}`, text: doc },
    ...members.map(member => ({ symbol: `${path} ${name}.${member.name}`, text: member.text })),
  ])
  expect(docs.length).toBeGreaterThan(50)
  const shown = docs.filter(({ text }) => !text.includes('@internal'))
  expect(shown.filter(({ text }) => /\bP-\d{3}\b/.test(text)).map(({ symbol }) => symbol)).toEqual([])
})
