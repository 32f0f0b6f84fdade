/** Lint rules for regions. */

import type { DERPRegion } from '../types.ts'
import type { Finding, LintSeverity } from './issue.ts'
import { quote } from './read-view.ts'
import type { RegionView } from './view.ts'

export interface RegionRule {
  readonly rule: string
  readonly severity: LintSeverity
  /** The field concerned. */
  readonly field?: keyof DERPRegion
  readonly check: (region: RegionView) => Finding | undefined
}

export const REGION_RULES: readonly RegionRule[] = [
  {
    rule: 'region-id-missing',
    severity: 'error',
    check: ({ id, places }) =>
      places.RegionID === undefined
        ? { message: 'RegionID is missing; clients take it for 0', fix: `add RegionID ${id}` }
        : undefined,
  },
  {
    rule: 'region-id-mismatch',
    severity: 'error',
    field: 'RegionID',
    check: ({ id, values }) =>
      values.RegionID !== undefined && values.RegionID !== id
        ? { message: `RegionID ${values.RegionID} does not match the key ${id}`, fix: 'make them equal' }
        : undefined,
  },
  {
    rule: 'region-id-range',
    severity: 'warning',
    check: region =>
      (region.id < 900 || region.id > 999) && !isRunByTailscale(region)
        ? {
            message: `region ID ${region.id} can clash with a Tailscale region, which this one then replaces`,
            fix: 'use an ID from 900 to 999',
          }
        : undefined,
  },
  {
    rule: 'region-empty',
    severity: 'error',
    field: 'Nodes',
    check: ({ nodes }) =>
      nodes.length === 0 ? { message: 'region has no nodes', fix: 'add a node or remove the region' } : undefined,
  },
  {
    rule: 'region-stun-only',
    severity: 'error',
    field: 'Nodes',
    check: ({ nodes }) =>
      nodes.length > 0 && nodes.every(({ values }) => values.STUNOnly)
        ? {
            message: 'all nodes are STUNOnly: clients with this home region cannot be reached',
            fix: 'add a relay, or set NoMeasureNoHome',
          }
        : undefined,
  },
  {
    rule: 'region-code-missing',
    severity: 'warning',
    field: 'RegionCode',
    check: ({ values }) =>
      values.RegionCode ? undefined : { message: 'RegionCode is missing', fix: 'add a short name, such as nyc' },
  },
  {
    rule: 'region-code-characters',
    severity: 'warning',
    field: 'RegionCode',
    check: ({ values: { RegionCode: code } }) =>
      code && !/^[\w.-]+$/.test(code)
        ? {
            message: `RegionCode ${quote(code)} has characters that are unsafe in probe names and metrics`,
            fix: 'use letters, digits and hyphens',
          }
        : undefined,
  },
  {
    rule: 'region-name-missing',
    severity: 'warning',
    field: 'RegionName',
    check: ({ values }) =>
      values.RegionName ? undefined : { message: 'RegionName is missing', fix: 'add a name, such as New York City' },
  },
  {
    rule: 'region-avoid',
    severity: 'warning',
    field: 'Avoid',
    check: ({ values }) =>
      values.Avoid
        ? { message: 'Avoid is deprecated: client releases interpret it differently', fix: 'use NoMeasureNoHome' }
        : undefined,
  },
]

/** Tailscale's own regions have low IDs. */
function isRunByTailscale({ nodes }: RegionView): boolean {
  return nodes.length > 0 && nodes.every(({ values }) => values.HostName?.endsWith('.tailscale.com'))
}
