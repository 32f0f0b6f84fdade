/** Checks PromQL expressions against tables of series. */

import { expect } from 'vitest'
import { promqlUses } from './promql.ts'

/** Label names by the name of a series. */
export type SeriesTable = ReadonlyMap<string, readonly string[]>

/** Labels that Prometheus adds to all samples. */
export const TARGET_LABELS: readonly string[] = ['instance', 'job']

/** Labels that the result of an expression has. @throws Error for a metric that is not exported, or lacks a label. */
export function labelsOfExpression(expression: string, series: SeriesTable): readonly string[] {
  const { selectors, groupedBy } = promqlUses(expression)
  expect(selectors, expression).not.toEqual([])
  const available = selectors.flatMap(({ metric, labels }) => {
    const own = series.get(metric)
    if (own === undefined) throw new Error(`look up ${metric} of "${expression}": not exported`)
    expect([...own, ...TARGET_LABELS], `${metric} of "${expression}"`).toEqual(expect.arrayContaining([...labels]))
    return own
  })
  expect([...available, ...TARGET_LABELS], expression).toEqual(expect.arrayContaining([...groupedBy]))
  return groupedBy.length > 0 ? groupedBy : [...available, ...TARGET_LABELS]
}

/** Label names that templates mention. */
export function labelsIn(text: string, pattern: RegExp): string[] {
  return Array.from(text.matchAll(pattern), ([, label = '']) => label)
}
