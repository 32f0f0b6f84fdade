import { expect, test } from 'vitest'
import { diffDerpMaps } from './diff.ts'
import type { DERPMap, DERPNode, DERPRegion } from './types.ts'

const node = (Name: string, fields: Partial<DERPNode> = {}): DERPNode => ({
  Name,
  RegionID: 1,
  HostName: `${Name}.test`,
  ...fields,
})
const region = (RegionID: number, Nodes: DERPNode[], fields: Partial<DERPRegion> = {}): DERPRegion => ({
  RegionID,
  RegionCode: 'own',
  RegionName: 'Own',
  Nodes,
  ...fields,
})
const mapOf = (...regions: DERPRegion[]): DERPMap => ({
  Regions: Object.fromEntries(regions.map(r => [r.RegionID, r])),
})

const NOTHING = {
  regionsAdded: [],
  regionsRemoved: [],
  regionsChanged: [],
  isHomeParamsChanged: false,
  isOmitDefaultRegionsChanged: false,
  isEmpty: true,
}

test('diffDerpMaps of equal maps is empty, in any notation', () => {
  expect(diffDerpMaps({}, {})).toEqual(NOTHING)
  expect(diffDerpMaps({}, { Regions: {}, omitDefaultRegions: false })).toEqual(NOTHING)
  const sparse = mapOf(region(1, [node('a')]))
  const explicit = mapOf(
    region(1, [node('a', { CertName: '', DERPPort: 0, STUNOnly: false })], { Avoid: false, Latitude: 0 }),
  )
  expect(diffDerpMaps(sparse, explicit)).toEqual(NOTHING)
  expect(diffDerpMaps(sparse, sparse)).toEqual(NOTHING)
})

test('diffDerpMaps lists regions added and removed', () => {
  const diff = diffDerpMaps(mapOf(region(1, []), region(20, [])), mapOf(region(20, []), region(3, []), region(10, [])))
  expect(diff).toEqual({ ...NOTHING, regionsAdded: [3, 10], regionsRemoved: [1], isEmpty: false })
})

test('diffDerpMaps lists nodes added, removed and changed, and which changes affect connections', () => {
  const before = region(1, [node('a'), node('b'), node('c'), node('d')])
  const [a, c] = [node('a', { DERPPort: 8443, STUNPort: 1 }), node('c', { STUNPort: 1 })]
  const after = region(1, [a, c, node('d'), node('e')])
  const diff = diffDerpMaps(mapOf(before), mapOf(after))
  expect(diff).toEqual({
    ...NOTHING,
    regionsChanged: [
      {
        regionId: 1,
        before,
        after,
        fields: [],
        nodesAdded: [node('e')],
        nodesRemoved: [node('b')],
        nodesChanged: [
          { name: 'a', before: node('a'), after: a, fields: ['STUNPort', 'DERPPort'], affectsConnections: true },
          { name: 'c', before: node('c'), after: c, fields: ['STUNPort'], affectsConnections: false },
        ],
        isReordered: false,
      },
    ],
    isEmpty: false,
  })
})

test('diffDerpMaps reports reordering and changed region fields', () => {
  const before = region(1, [node('a'), node('b'), node('x')])
  const after = region(1, [node('y'), node('b'), node('a')], { NoMeasureNoHome: true, RegionName: 'Other' })
  expect(diffDerpMaps(mapOf(before), mapOf(after)).regionsChanged).toMatchObject([
    { fields: ['RegionName', 'NoMeasureNoHome'], isReordered: true, nodesChanged: [] },
  ])
  const turned = region(1, [node('b'), node('a'), node('x')])
  expect(diffDerpMaps(mapOf(before), mapOf(turned))).toMatchObject({
    regionsChanged: [{ isReordered: true, nodesChanged: [] }],
    isEmpty: false,
  })
  const grown = region(1, [node('z'), node('a'), node('b'), node('x')])
  expect(diffDerpMaps(mapOf(before), mapOf(grown)).regionsChanged).toMatchObject([{ isReordered: false }])
})

test('diffDerpMaps pairs nodes of the same name by position', () => {
  const before = region(1, [node('a'), node('a', { DERPPort: 1 })])
  const after = region(1, [node('a'), node('a', { DERPPort: 2 }), node('a', { DERPPort: 3 })])
  expect(diffDerpMaps(mapOf(before), mapOf(after)).regionsChanged).toMatchObject([
    {
      nodesAdded: [{ DERPPort: 3 }],
      nodesRemoved: [],
      nodesChanged: [{ before: { DERPPort: 1 }, after: { DERPPort: 2 } }],
    },
  ])
})

test('diffDerpMaps distinguishes new and reset home parameters from unchanged ones', () => {
  const isChanged = (before: DERPMap, after: DERPMap) => diffDerpMaps(before, after).isHomeParamsChanged
  const scores = (RegionScore: Record<number, number>): DERPMap => ({ HomeParams: { RegionScore } })
  expect(isChanged(scores({ 1: 2, 3: 4 }), scores({ 3: 4, 1: 2 }))).toBe(false)
  expect(isChanged(scores({ 1: 2 }), scores({ 1: 3 }))).toBe(true)
  expect(isChanged({}, scores({}))).toBe(true)
  expect(diffDerpMaps({}, { omitDefaultRegions: true })).toMatchObject({
    isOmitDefaultRegionsChanged: true,
    isEmpty: false,
  })
})
