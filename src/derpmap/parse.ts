/** Parses DERP maps. */

import { DerpMapError } from './derp-map-error.ts'
import { decimal, entriesOf, flag, memberPath, orReport, type ReportProblem, readFields } from './fields.ts'
import { guessFormat } from './map-format.ts'
import { type CountNode, parseRegion, regionId } from './parse-region.ts'
import type { DERPHomeParams, DERPMap } from './types.ts'

/** Options of {@link parseDerpMap}. */
export interface ParseDerpMapOptions {
  /**
   * Called for everything that was left out or is likely a mistake, such as an unusable node, an unknown field or an
   * invalid address. Default: warnings are ignored.
   */
  readonly onWarning?: ((warning: DerpMapError) => void) | undefined
  /** Throws the first warning instead, for validating a map. */
  readonly strict?: boolean | undefined
}

/** Members of a map in lower case; others are reported, or mean that this is not a map. */
const MEMBERS: readonly string[] = ['homeparams', 'regions', 'omitdefaultregions']
/** Members of other documents that contain a map, in lower case. */
const WRAPPERS: readonly string[] = ['derpmap']

/**
 * Parses a DERP map from JSON text or a parsed value, also if it is the `derpMap` of a policy file.
 *
 * Unusable nodes and regions are left out with a warning. Regions that are `null`, which remove a default region, are
 * left out. Missing region IDs are filled in.
 *
 * @throws DerpMapError with path, value and reason, if this is not a map or has no usable node.
 * @example
 * ```ts
 * const response = await fetch('https://controlplane.example/derpmap.json')
 * const map = parseDerpMap(await response.text())
 * ```
 */
export function parseDerpMap(input: unknown, { onWarning, strict = false }: ParseDerpMapOptions = {}): DERPMap {
  let first: DerpMapError | undefined
  let unusable: DerpMapError | undefined
  let hasNodes = false
  const report: ReportProblem = problem => {
    if (strict) throw problem
    first ??= problem
    onWarning?.(problem)
  }
  const count: CountNode = problem => {
    if (problem === undefined) hasNodes = true
    else unusable ??= problem
  }
  const [whole, path] = unwrapped(typeof input === 'string' ? parseJson(input) : input)
  const checks = {
    HomeParams: orReport((value, at) => parseHomeParams(value, at, report), report),
    Regions: (value: unknown, at: string) =>
      readById(value, at, report, (each, eachAt, id) => parseRegion(each, eachAt, id, { report, count })),
    omitDefaultRegions: flag,
  } as const
  const { HomeParams: homeParams, ...map } = readFields(whole, path, checks, report)
  if (!hasNodes && unusable !== undefined) throw unusable
  if (first !== undefined && isEmptied(whole, map)) throw first
  return homeParams === undefined ? map : { HomeParams: homeParams, ...map }
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch (error) {
    throw new DerpMapError('', json, `not JSON${guessFormat(json)}: ${(error as Error).message}`, error)
  }
}

/** The map and its path. @throws DerpMapError for a document without a map. */
function unwrapped(value: unknown): [map: unknown, path: string] {
  const strangers = strangersIn(value, '')
  const wrapper = strangers.find(([name]) => WRAPPERS.includes(name.toLowerCase()))
  const [path, map] = wrapper ?? ['', value]
  const [first, ...others] = wrapper === undefined ? strangers : strangersIn(map, path)
  if (first === undefined) return [map, path]
  const found = [first, ...others].map(([name]) => JSON.stringify(name)).join(', ')
  throw new DerpMapError(memberPath(path, 'Regions'), undefined, `a DERP map needs regions; found ${found}`)
}

/** Members of an object without regions that no map has. */
function strangersIn(value: unknown, path: string): [name: string, value: unknown][] {
  const entries = entriesOf(value, path)
  if (entries.some(([name]) => name.toLowerCase() === 'regions')) return []
  return entries.filter(([name]) => !MEMBERS.includes(name.toLowerCase()))
}

/** Whether all regions given were left out, so that the map would be empty by mistake. */
function isEmptied(whole: unknown, { Regions: regions }: DERPMap): boolean {
  const stated = entriesOf(whole, '').find(([name]) => name.toLowerCase() === 'regions')?.[1]
  return Object.keys(regions ?? {}).length === 0 && Object.values(stated ?? {}).some(region => region !== null)
}

function parseHomeParams(value: unknown, path: string, report: ReportProblem): DERPHomeParams {
  const scores = (stated: unknown, at: string): Record<number, number> => readById(stated, at, report, decimal)
  return readFields(value, path, { RegionScore: scores }, report)
}

/** Reads an object with region IDs as keys; leaves out `null` and invalid members. */
function readById<T>(
  value: unknown,
  path: string,
  report: ReportProblem,
  read: (value: unknown, path: string, id: number) => T,
): Record<number, T> {
  const byId: Record<number, T> = {}
  for (const [key, content] of entriesOf(value, path)) {
    const readOne = (stated: unknown, at: string): void => {
      if (!/^[1-9]\d*$/.test(key)) throw new DerpMapError(at, stated, 'the key is not a region ID')
      const id = regionId(Number(key), at)
      if (stated !== null) byId[id] = read(stated, at, id)
    }
    orReport(readOne, report)(content, memberPath(path, key))
  }
  return byId
}
