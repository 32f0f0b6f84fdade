import { expect, test } from 'vitest'
import { formatRegion, regionIds, requireRegion } from './regions.ts'
import type { DERPRegion } from './types.ts'

const region = (RegionID: number): DERPRegion => ({ RegionID, RegionCode: 'own', RegionName: '', Nodes: [] })
const map = { Regions: { 900: region(900), 2: region(2), 10: region(10) } }

test('regionIds returns IDs in order', () => {
  expect(regionIds(map)).toEqual([2, 10, 900])
  expect(regionIds({})).toEqual([])
})

test('requireRegion finds a region, or lists the existing ones (P-220)', () => {
  expect(requireRegion(map, 10)).toBe(map.Regions[10])
  expect(() => requireRegion(map, 1)).toThrow(
    expect.objectContaining({
      code: 'ERR_DERP_REGION_UNAVAILABLE',
      message: 'find region 1: the map has 2, 10, 900',
    }),
  )
  expect(() => requireRegion({ Regions: {} }, 1)).toThrow('find region 1: the map has no regions')
})

test('formatRegion shows ID and code', () => {
  expect(formatRegion(region(900))).toBe('region 900 (own)')
})
