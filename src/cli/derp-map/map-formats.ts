/** Formats a DERP map for Tailscale, Headscale and other programs. */

import { stringify } from 'yaml'
import type { DERPMap } from '../../derpmap/types.ts'
import { DerpError } from '../../lib/derp-error.ts'

export const MAP_FORMATS = ['tailscale', 'headscale', 'json', 'yaml'] as const
export type MapFormatName = (typeof MAP_FORMATS)[number]

/** @throws DerpError for an unknown name. */
export function parseMapFormat(name: string): MapFormatName {
  const known = MAP_FORMATS.find(each => each === name)
  if (known !== undefined) return known
  throw new DerpError(
    'ERR_DERP_CONFIG_INVALID',
    `format DERP map for "${name}": must be one of ${MAP_FORMATS.join(', ')}`,
  )
}

/** Whether the format allows comments. */
export function takesComments(format: MapFormatName): boolean {
  return format !== 'json'
}

/** The text of a map; `notes` become comments where the format allows them. */
export function formatDerpMap(map: DERPMap, format: MapFormatName, notes: readonly string[] = []): string {
  switch (format) {
    case 'json':
      return `${JSON.stringify(map, undefined, 2)}\n`
    case 'tailscale':
      return policySnippet(map, notes)
    case 'yaml':
      return `${comments('#', notes)}${yamlText(map)}`
    case 'headscale':
      return `${comments('#', [...headscaleNotes(map), ...notes])}${yamlText(map)}`
  }
}

const POLICY_NOTES = [
  'Copy "derpMap" into the tailnet\'s policy file, next to "acls" or "grants":',
  'https://login.tailscale.com/admin/acls/file',
]

/** HuJSON, with the spelling of Tailscale's documentation. */
function policySnippet({ omitDefaultRegions, ...map }: DERPMap, notes: readonly string[]): string {
  const derpMap = { ...(omitDefaultRegions !== undefined && { OmitDefaultRegions: omitDefaultRegions }), ...map }
  return `${comments('//', [...POLICY_NOTES, ...notes])}${JSON.stringify({ derpMap }, undefined, 2)}\n`
}

const HEADSCALE_PATH = '/etc/headscale/derp.yaml'

function headscaleNotes({ omitDefaultRegions }: DERPMap): string[] {
  const urls =
    omitDefaultRegions === true
      ? ["  urls: []    # omits Tailscale's relays"]
      : ['  urls:', '    - https://controlplane.tailscale.com/derpmap/default']
  return [
    `Save as ${HEADSCALE_PATH} and add to config.yaml:`,
    '',
    'derp:',
    ...urls,
    '  paths:',
    `    - ${HEADSCALE_PATH}`,
    '',
  ]
}

/** Headscale reads lower-case names only, and ignores all fields of the map but regions. */
function yamlText({ Regions: regions = {} }: DERPMap): string {
  return stringify({ regions: lowerCaseNames(regions) }, { lineWidth: 0 })
}

function lowerCaseNames(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(lowerCaseNames)
  if (typeof value !== 'object' || value === null) return value
  // Region IDs stay numbers: quoted ones would be different keys.
  return new Map(Object.entries(value).map(([name, content]) => [keyOf(name), lowerCaseNames(content)]))
}

function keyOf(name: string): string | number {
  return /^\d+$/.test(name) ? Number(name) : name.toLowerCase()
}

function comments(mark: string, lines: readonly string[]): string {
  return lines.map(line => `${`${mark} ${line}`.trimEnd()}\n`).join('')
}
