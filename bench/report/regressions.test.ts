import { expect, test } from 'vitest'
import type { FigureResult, Results } from '../results.ts'
import { readDocument } from './document.ts'
import { regressions } from './regressions.ts'

function withFigure(figure: Partial<FigureResult>): Results {
  const whole = { id: 'cpu', title: 'CPU', unit: 'µs', better: 'less', values: {}, ...figure } as const
  return { ...readDocument().results, scenarios: [{ id: 'one', title: 'one', figures: [whole] }] }
}

test('reports changes that are worse in every round and above noise', () => {
  const values = { ours: [11, 12, 13], against: [10, 10, 10] }
  expect(regressions(withFigure({ values }))).toEqual(['one: CPU, Node, worse by a factor of 1.20'])
  const onBun = { 'ours-bun': [11, 12, 13], 'against-bun': [10, 10, 10], ours: [9, 9, 9], against: [10, 10, 10] }
  expect(regressions(withFigure({ values: onBun }))).toEqual(['one: CPU, Bun, worse by a factor of 1.20'])
  expect(regressions(withFigure({ values, better: 'more' }))).toEqual([])
  expect(regressions(withFigure({ values, id: 'others' }))).toEqual([])
})

test('ignores changes with one better round or a small difference', () => {
  expect(regressions(withFigure({ values: { ours: [9, 12, 13], against: [10, 10, 10] } }))).toEqual([])
  expect(regressions(withFigure({ values: { ours: [10.1, 10.2, 13], against: [10, 10, 10] } }))).toEqual([])
})

test('treats fewer packets per second as worse', () => {
  const values = { ours: [50, 80, 50], against: [100, 100, 100] }
  expect(regressions(withFigure({ values, better: 'more', title: 'packets' }))).toEqual([
    'one: packets, Node, worse by a factor of 2.00',
  ])
})
