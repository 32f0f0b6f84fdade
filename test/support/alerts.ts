/** Alert rules of `deploy/prometheus`. */

import { expect } from 'vitest'
import { at, type Mapping, readYaml } from './deploy-files.ts'
import { labelsIn, labelsOfExpression, type SeriesTable } from './series.ts'

export interface AlertRule {
  readonly alert: string
  readonly expr: string
  readonly rule: Mapping
}

/** All rules of a file. */
export function alertRules(path: string): AlertRule[] {
  const [document] = readYaml(path)
  const rules = (at(document, 'groups') as Mapping[]).flatMap(group => at(group, 'rules') as Mapping[])
  return rules.map(rule => ({ alert: at(rule, 'alert') as string, expr: at(rule, 'expr') as string, rule }))
}

/** Checks metrics, labels, severity, texts and the runbook of a rule. */
export function checkAlert({ alert, expr, rule }: AlertRule, series: SeriesTable): void {
  const labels = labelsOfExpression(expr, series)
  const { summary, description } = at(rule, 'annotations') as Record<string, string>
  expect(labels).toEqual(expect.arrayContaining(labelsIn(`${summary}${description}`, /\$labels\.(\w+)/g)))
  expect(['warning', 'critical']).toContain(at(rule, 'labels.severity'))
  expect(description).not.toBe('')
  expect(at(rule, 'annotations.runbook')).toBe(`docs/operate/alerts.md#${alert.toLowerCase()}`)
}
