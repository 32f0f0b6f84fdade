/**
 * Finds all problems of a DERP map, where parse.ts stops at the first error. Pure.
 *
 * Anything that parse.ts rejects is also an error here, even if no rule covers it.
 */

import { DerpMapError } from '../derp-map-error.ts'
import { parseDerpMap } from '../parse.ts'
import type { LintIssue, MapPath } from './issue.ts'
import { ViewReader } from './read-view.ts'
import { mapIssues } from './rules-map.ts'
import { NODE_RULES } from './rules-node.ts'
import { REGION_RULES } from './rules-region.ts'
import { type MapFormat, placeOf, type View } from './view.ts'

export interface LintInput {
  /** The parsed map, without the document around it. */
  readonly value: unknown
  readonly format: MapFormat
  /** Path of the map within its document; prefixes all paths. */
  readonly path?: MapPath
}

/** All issues: those of the map first, then by region and node. */
export function lintDerpMap({ value, format, path = [] }: LintInput): LintIssue[] {
  const reader = new ViewReader(format)
  const map = reader.readMap(value, path)
  const issues = [
    ...mapIssues(map),
    ...reader.issues,
    ...map.regions.flatMap(region => [
      ...ruleIssues(REGION_RULES, region),
      ...region.nodes.flatMap(node => ruleIssues(NODE_RULES, node)),
    ]),
  ]
  return [...issues, ...unreadable(value, path, issues)]
}

interface Rule<V, F> extends Pick<LintIssue, 'rule' | 'severity'> {
  readonly field?: F
  readonly check: (view: V) => Pick<LintIssue, 'message' | 'fix'> | undefined
}

function ruleIssues<T, V extends View<T>>(rules: readonly Rule<V, keyof T>[], view: V): LintIssue[] {
  return rules.flatMap(({ rule, severity, field, check }) => {
    const found = check(view)
    return found === undefined ? [] : [{ severity, rule, path: placeOf<T>(view, field), ...found }]
  })
}

/** Catches errors that no rule covers. */
function unreadable(value: unknown, path: MapPath, issues: readonly LintIssue[]): LintIssue[] {
  if (issues.some(({ severity }) => severity === 'error')) return []
  try {
    parseDerpMap(value)
    return []
  } catch (error) {
    if (!(error instanceof DerpMapError)) throw error
    return [{ severity: 'error', rule: 'unreadable', path, message: error.message, fix: 'fix it' }]
  }
}
