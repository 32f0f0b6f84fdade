import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Results } from '../results.ts'
import { GO_LOAD_MODULE } from '../tools.ts'
import { readFloodArguments } from './arguments.ts'
import { fillFloodDocument, readFloodDocument } from './document.ts'
import { figuresOf } from './flood.ts'
import { FLOODS } from './floods.ts'
import { costTable, isWithinAim, latencyTable } from './tables.ts'

test('each flood has a name of its own and an attack of the generator', () => {
  const source = readFileSync(join(GO_LOAD_MODULE, 'flood.go'), 'utf8')
  const [attacks = ''] = /^var attacks = [\s\S]*?^}/m.exec(source) ?? []
  expect(new Set(FLOODS.map(({ id }) => id)).size).toBe(FLOODS.length)
  for (const { attack } of FLOODS) expect(attacks).toContain(`"${attack}":`)
})

test('20 ms are always well, and three times the p99 of stock', () => {
  expect(isWithinAim(20, 1)).toBe(true)
  expect(isWithinAim(21, 7)).toBe(true)
  expect(isWithinAim(22, 7)).toBe(false)
})

/** One flood with these medians of p99, and logins granted. */
function resultsOf(p99: Readonly<Record<string, number>>): Results {
  const flood = { id: 'x', title: '', attack: 'none', carriage: 'plain', outcome: 'letIn' } as const
  const figures = figuresOf(flood).map(figure => {
    const values = Object.entries(p99).map(([id, value]) => [id, [value, value, 9_999]])
    return { ...figure, values: Object.fromEntries(figure.id === 'p99' ? values : []) }
  })
  const machine = { processor: 'a processor', cores: 2, gigabytes: 4 }
  const scenarios = [{ id: 'x', title: '', figures }]
  return { date: '', commit: '', machine, system: '', node: '', go: '', contenders: [], rounds: 3, scenarios }
}

test('the table says how many times the p99 of stock ours has where it is above the aim', () => {
  expect(latencyTable(resultsOf({ ours: 30, 'ours-bun': 45, stock: 10 }))).toContain('| well, **4.50 times** |')
  expect(costTable(resultsOf({ ours: 30 }))).toContain('logins granted')
})

test('options of the flood bench', () => {
  expect(readFloodArguments([])).toMatchObject({ only: [], rounds: 3, seconds: 2, contenders: [] })
  expect(readFloodArguments(['--only', 'a,b', '--rounds', '1'])).toMatchObject({ only: ['a', 'b'], rounds: 1 })
  expect(() => readFloodArguments(['--seconds', '0'])).toThrow(/--seconds/)
  expect(() => readFloodArguments(['--document', '--only', 'stun'])).toThrow(/leave out --only/)
})

test('docs/understand/security/floods.md has the tables of the committed results, and tells of each flood', () => {
  const { results, document } = readFloodDocument()
  expect(fillFloodDocument(document, results)).toBe(document)
  const [, told = ''] = document.split('## The floods')
  for (const { id } of FLOODS) expect(told).toContain(`\`${id}\``)
})
