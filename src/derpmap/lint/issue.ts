/** Issues that lint reports. */

/** Errors break clients; warnings are likely mistakes. */
export type LintSeverity = 'error' | 'warning'

/** Keys and indices from the root, spelt as in the document. */
export type MapPath = readonly (string | number)[]

export interface LintIssue {
  readonly severity: LintSeverity
  /** Rule name, such as `region-empty`. */
  readonly rule: string
  readonly path: MapPath
  /** What is wrong, including the value. */
  readonly message: string
  /** How to fix it. */
  readonly fix: string
}

/** A path as text, such as `Regions.900.Nodes[0].HostName`. */
export function formatMapPath(path: MapPath): string {
  if (path.length === 0) return 'the map'
  return path.map((part, at) => (typeof part === 'number' ? `[${part}]` : at === 0 ? part : `.${part}`)).join('')
}

/** What a rule found. */
export interface Finding {
  readonly message: string
  readonly fix: string
}
