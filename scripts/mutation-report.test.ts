import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type MutationReport, type Reasons, scoresTable, survivors, survivorsTable } from '../test/mutation/report.ts'

const mutant = (line: number, mutatorName: string, status: string) => ({
  mutatorName,
  status,
  location: { start: { line } },
})

const REPORT: MutationReport = {
  files: {
    'src/server/a.ts': {
      source: 'one\n  if (a || b) go()\nthree\n  if (a || b) go()\n',
      mutants: [
        mutant(1, 'ArrayDeclaration', 'Killed'),
        mutant(2, 'LogicalOperator', 'Survived'),
        mutant(2, 'ConditionalExpression', 'Timeout'),
        mutant(3, 'BlockStatement', 'Ignored'),
        mutant(4, 'ConditionalExpression', 'NoCoverage'),
        mutant(4, 'LogicalOperator', 'Survived'),
      ],
    },
    'src/protocol/b.ts': { source: 'x', mutants: [mutant(1, 'BooleanLiteral', 'Killed')] },
  },
}

test('survivors are lines with mutants that no test found, with the reason that was given', () => {
  const reasons = { 'server/a.ts': { 'if (a || b) go()': 'go() twice is go() once' } }
  const left = survivors(REPORT, reasons)
  const mutators = ['LogicalOperator', 'ConditionalExpression']
  expect(left).toEqual([{ file: 'server/a.ts', text: 'if (a || b) go()', mutators, reason: 'go() twice is go() once' }])
  expect(survivors(REPORT, {})).toMatchObject([{ reason: undefined }])
  expect(survivorsTable(left).split('\n')[2]).toBe(
    '| `server/a.ts` | `if (a \\|\\| b) go()` | LogicalOperator, ConditionalExpression | go() twice is go() once |',
  )
})

test('scoresTable counts time-outs as found, and leaves out what is not run', () => {
  const rows = scoresTable([REPORT]).split('\n').slice(2)
  const cells = rows.map(row =>
    row
      .split('|')
      .map(cell => cell.trim())
      .slice(1, -1),
  )
  expect(cells).toEqual([
    ['`src/server`', '40.0 %', '5', '1', '1', '3'],
    ['`src/protocol`', '100.0 %', '1', '1', '0', '0'],
  ])
})

test('every reason is for a line that is still there', () => {
  const root = join(import.meta.dirname, '..')
  const reasons = JSON.parse(readFileSync(join(root, 'test/mutation/reasons.json'), 'utf8')) as Reasons
  const stale = Object.entries(reasons).flatMap(([file, byLine]) => {
    const lines = new Set(
      readFileSync(join(root, 'src', file), 'utf8')
        .split('\n')
        .map(line => line.trim()),
    )
    return Object.keys(byLine).filter(line => !lines.has(line))
  })
  expect(stale).toEqual([])
})
