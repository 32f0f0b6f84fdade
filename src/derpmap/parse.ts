/** Reads a DERP map. */

import { DerpMapError } from './derp-map-error.ts'
import { decimal, entriesOf, flag, memberPath, readFields, text, wholeNumber } from './fields.ts'
import type { DERPHomeParams, DERPMap, DERPNode, DERPRegion } from './types.ts'

const regionId = wholeNumber(1, Number.MAX_SAFE_INTEGER)

const NODE_CHECKS = {
  Name: text,
  RegionID: regionId,
  HostName: text,
  CertName: text,
  IPv4: text,
  IPv6: text,
  STUNPort: wholeNumber(-1, 65_535),
  STUNOnly: flag,
  DERPPort: wholeNumber(0, 65_535),
  InsecureForTests: flag,
  STUNTestIP: text,
  CanPort80: flag,
} as const

const REGION_CHECKS = {
  RegionID: regionId,
  RegionCode: text,
  RegionName: text,
  Latitude: decimal,
  Longitude: decimal,
  Avoid: flag,
  NoMeasureNoHome: flag,
  Nodes: list,
} as const

const MAP_CHECKS = { HomeParams: parseHomeParams, Regions: parseRegions, omitDefaultRegions: flag } as const

/**
 * Reads a DERP map from JSON text, or from what a parser made of it.
 *
 * Unknown keys are passed over. A region that is `null`, by which an operator's file takes one of the default regions
 * away, is left out. Numbers of regions that a region or node does not repeat are filled in.
 *
 * @throws DerpMapError with path, value and reason.
 */
export function parseDerpMap(input: unknown): DERPMap {
  return readFields(typeof input === 'string' ? parseJson(input) : input, '', MAP_CHECKS)
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch (error) {
    throw new DerpMapError('', json, `not JSON: ${(error as Error).message}`, error)
  }
}

function parseHomeParams(value: unknown, path: string): DERPHomeParams {
  return readFields(value, path, {
    RegionScore: (scores: unknown, at: string): Record<number, number> =>
      readById(scores, at, (score, scorePath) => decimal(score, scorePath)),
  })
}

function parseRegions(value: unknown, path: string): Record<number, DERPRegion> {
  return readById(value, path, parseRegion)
}

/** Reads an object whose keys are regions' numbers; those with `null` are left out. */
function readById<T>(
  value: unknown,
  path: string,
  read: (value: unknown, path: string, id: number) => T,
): Record<number, T> {
  const byId: Record<number, T> = {}
  for (const [key, content] of entriesOf(value, path)) {
    const keyPath = memberPath(path, key)
    if (!/^[1-9]\d*$/.test(key)) throw new DerpMapError(keyPath, content, 'its key is not the number of a region')
    const id = regionId(Number(key), keyPath)
    if (content !== null) byId[id] = read(content, keyPath, id)
  }
  return byId
}

function parseRegion(value: unknown, path: string, id: number): DERPRegion {
  const { Nodes: nodes = [], ...fields } = readFields(value, path, REGION_CHECKS)
  assertSameId(fields.RegionID, id, path)
  return {
    RegionCode: '',
    RegionName: '',
    ...fields,
    RegionID: id,
    Nodes: nodes.map((node, i) => parseNode(node, `${path}.Nodes[${i}]`, id)),
  }
}

function parseNode(value: unknown, path: string, id: number): DERPNode {
  const fields = readFields(value, path, NODE_CHECKS)
  assertSameId(fields.RegionID, id, path)
  if (!fields.HostName) throw new DerpMapError(`${path}.HostName`, fields.HostName, 'every node needs one')
  return { Name: '', ...fields, HostName: fields.HostName, RegionID: id }
}

function assertSameId(stated: number | undefined, id: number, path: string): void {
  if (stated !== undefined && stated !== id)
    throw new DerpMapError(`${path}.RegionID`, stated, `it is in the region ${id}`)
}

function list(value: unknown, path: string): unknown[] {
  if (Array.isArray(value)) return value
  throw new DerpMapError(path, value, 'not a list')
}
