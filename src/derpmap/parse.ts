/** Parses DERP maps. */

import { DerpMapError } from './derp-map-error.ts'
import { decimal, entriesOf, flag, memberPath, orReport, type ReportProblem, readFields } from './fields.ts'
import { guessFormat } from './map-format.ts'
import { type CountNode, parseRegion, regionId } from './parse-region.ts'
import type { DERPHomeParams, DERPMap } from './types.ts'

export interface ParseDerpMapOptions {
  /**
   * Told of each thing that was left out or is likely a mistake: an unusable node, an unknown field, an address that
   * is none. Its `path` says where. Default: they are not told.
   */
  readonly onWarning?: ((warning: DerpMapError) => void) | undefined
  /** Throws the first warning instead, for checking a map. */
  readonly strict?: boolean | undefined
}

/** Members of a map; anything else is reported, or is a sign that this is no map. */
const MEMBERS: readonly string[] = ['homeparams', 'regions', 'omitdefaultregions']
/** Under which files of other kinds hold a map, in lower case. */
const WRAPPERS: readonly string[] = ['derpmap']

/**
 * Reads a DERP map from JSON text, or from what a parser made of it. A map in the member `derpMap` of a policy file is
 * found there.
 *
 * A node or region that cannot be used is left out with a warning, and the rest is read. A region that is `null`, by
 * which a file removes one of the default regions, is left out. Region numbers that a region or node does not repeat
 * are filled in.
 *
 * @throws DerpMapError with path, value and reason: when this is no map, or none of its nodes can be used.
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

/** The map and where it is. @throws DerpMapError for what has other members than a map. */
function unwrapped(value: unknown): [map: unknown, path: string] {
  const entries = entriesOf(value, '')
  const unknown = entries.filter(([name]) => !MEMBERS.includes(name.toLowerCase()))
  if (unknown.length === 0 || entries.some(([name]) => name.toLowerCase() === 'regions')) return [value, '']
  for (const [name, content] of unknown) if (WRAPPERS.includes(name.toLowerCase())) return [content, name]
  const found = unknown.map(([name]) => JSON.stringify(name)).join(', ')
  throw new DerpMapError('Regions', undefined, `a DERP map has its regions there; found is ${found}`)
}

/** Whether regions were stated and not one is left: nobody meant that as a map without regions. */
function isEmptied(whole: unknown, { Regions: regions }: DERPMap): boolean {
  const stated = entriesOf(whole, '').find(([name]) => name.toLowerCase() === 'regions')?.[1]
  return Object.keys(regions ?? {}).length === 0 && Object.values(stated ?? {}).some(region => region !== null)
}

function parseHomeParams(value: unknown, path: string, report: ReportProblem): DERPHomeParams {
  const scores = (stated: unknown, at: string): Record<number, number> => readById(stated, at, report, decimal)
  return readFields(value, path, { RegionScore: scores }, report)
}

/** Reads an object whose keys are regions' numbers; those with `null` are left out, and those that cannot be read. */
function readById<T>(
  value: unknown,
  path: string,
  report: ReportProblem,
  read: (value: unknown, path: string, id: number) => T,
): Record<number, T> {
  const byId: Record<number, T> = {}
  for (const [key, content] of entriesOf(value, path)) {
    const readOne = (stated: unknown, at: string): void => {
      if (!/^[1-9]\d*$/.test(key)) throw new DerpMapError(at, stated, 'its key is not the number of a region')
      const id = regionId(Number(key), at)
      if (stated !== null) byId[id] = read(stated, at, id)
    }
    orReport(readOne, report)(content, memberPath(path, key))
  }
  return byId
}
