import { expect, test } from 'vitest'
import { differenceProblems, findProblems, indexProblems, parseClauses } from './clauses.ts'

const DOCUMENT = `
### P-001 Header · built

- A byte and a length.

Frames: 0x04 SendPacket, 0x05 RecvPacket
Source: derp.readFrameHeader

### P-002 Probe · planned

Route: /derp/probe
Source: derphttp.ProbeHandler
`
const EVIDENCE = {
  frames: ['0x04 SendPacket', '0x05 RecvPacket'],
  routes: [],
  sources: new Map([['a.ts', '// P-001']]),
  tests: new Map([['a.test.ts', "test('header (P-001)')"]]),
}

const problems = (change: Partial<typeof EVIDENCE>, document = DOCUMENT) =>
  findProblems(parseClauses(document), { ...EVIDENCE, ...change })

test('clauses: a consistent document has no problems', () => {
  expect(problems({})).toEqual([])
})

test('clauses: a built clause without a test is a problem', () => {
  expect(problems({ tests: new Map() })).toEqual(['P-001 Header: built, but no test cites it'])
})

test('clauses: a citation of an unknown clause is a problem', () => {
  expect(problems({ sources: new Map([['a.ts', 'P-009']]) })).toEqual(['P-009 is cited by a.ts, but is not a clause'])
})

test('clauses: a frame or route without a clause is a problem', () => {
  expect(problems({ frames: [...EVIDENCE.frames, '0x06 KeepAlive'] })).toEqual([
    'frame 0x06 KeepAlive is in 0 clauses, not one',
  ])
  expect(problems({ routes: ['/robots.txt'] as never[] })).toEqual(['route /robots.txt is in 0 clauses, not one'])
})

test('clauses: only a planned clause may name frames or routes that do not exist', () => {
  expect(problems({ frames: ['0x04 SendPacket'] })).toEqual([
    'P-001 is built and names frame 0x05 RecvPacket, which the code lacks',
  ])
})

test('clauses: a malformed heading is refused', () => {
  expect(() => parseClauses('### P-1 x')).toThrow('read clause heading')
})

const INDEX = '| page | answers | clauses |\n|---|---|---|\n| [Header](header.md) | how? | P-001 to P-002, P-009 |\n'
const indexed = (...ids: string[]) =>
  indexProblems(INDEX, new Map([['header.md', parseClauses(ids.map(id => `### ${id} X · built`).join('\n'))]]))

test('clauses: the index names the page of each clause, and no other', () => {
  expect(indexed('P-001', 'P-002', 'P-009')).toEqual([])
  expect(indexed('P-001', 'P-002', 'P-003', 'P-009')).toEqual([
    'P-003 is in header.md, but not in its row of the index',
  ])
  expect(indexed('P-001', 'P-002')).toEqual(['the index says that header.md has P-009'])
  expect(indexProblems(INDEX, new Map())).toEqual(['the index names header.md, which has no clauses'])
})

test('clauses: a difference has an id of its own, and names clauses that exist', () => {
  const differences = (page: string, cited = 'D-01') =>
    differenceProblems(page, parseClauses(DOCUMENT), new Map([['a.test.ts', cited]]))
  expect(differences('| D-01 | a | b | c | P-001 |\n| D-102 | a | b | c | |\n')).toEqual([])
  expect(differences('| D-01 | a | b | c | P-009 |\n| D-01 | a | b | c | |\n', 'D-02, D-01')).toEqual([
    'D-01 is the id of two differences',
    'P-009 is cited by the differences, but is not a clause',
    'D-02 is cited by a.test.ts, but is not a difference',
  ])
})
