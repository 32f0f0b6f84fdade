/** Finds the DERP map in a document: policy files, for example, nest it. Pure. */

import { MAP_FIELDS } from '../map-fields.ts'
import type { Finding, MapPath } from './issue.ts'
import { nearestName } from './spelling.ts'

/** The map and its path, or why there is none. */
export type FoundMap =
  | { readonly value: unknown; readonly path: MapPath; readonly isPolicy: boolean }
  | { readonly missing: Finding }

/** Lower-case keys of policy files. */
const POLICY_NAMES: ReadonlySet<string> = new Set([
  'acls',
  'grants',
  'ssh',
  'hosts',
  'groups',
  'tagowners',
  'autoapprovers',
  'nodeattrs',
  'tests',
  'sshtests',
])

const MAP_NAMES = Object.keys(MAP_FIELDS)

/** Lower-case keys under which a map is nested. */
const WRAPPERS: ReadonlySet<string> = new Set(['derpmap', 'derp_map'])

/** The map in a document that may wrap it, or say what it has instead. */
export function findMap(document: unknown): FoundMap {
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    return missing('not an object', 'a DERP map is {"Regions": {"900": {…}}}')
  }
  const entries = Object.entries(document)
  const names = entries.map(([name]) => name.toLowerCase())
  const wrapped = entries.find(([name]) => WRAPPERS.has(name.toLowerCase()))
  if (wrapped !== undefined) {
    return { value: wrapped[1], path: [wrapped[0]], isPolicy: wrapped[0].toLowerCase() === 'derpmap' }
  }
  const found = { value: document, path: [], isPolicy: false }
  if (names.includes('nodes') || names.includes('hostname')) return missing(...loose(names))
  if (names.length === 0 || names.some(name => nearestName(name, MAP_NAMES) !== undefined)) return found
  if (names.some(name => POLICY_NAMES.has(name))) {
    return missing('this policy file has no "derpMap"', 'add one; "derp map make --for tailscale" generates it')
  }
  if (names.includes('derp')) {
    return missing("this is Headscale's config.yaml", 'pass one of the files listed in derp.paths')
  }
  const shown = entries.slice(0, 5).map(([name]) => JSON.stringify(name))
  return missing(`no "Regions" found, only ${shown.join(', ')}`, 'pass a document that contains a DERP map')
}

function loose(names: readonly string[]): [message: string, fix: string] {
  return names.includes('nodes')
    ? ['this is a single region', 'wrap it: {"Regions": {"900": …}}']
    : ['this is a single node', 'wrap it: {"Regions": {"900": {…, "Nodes": […]}}}']
}

function missing(message: string, fix: string): FoundMap {
  return { missing: { message, fix } }
}
