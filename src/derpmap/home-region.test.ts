import { expect, test } from 'vitest'
import { fc } from '../../test/support/fast-check.ts'
import { type HomeInput, type LatencyReport, pickHome, recentReports } from './home-region.ts'
import type { DERPMap, DERPRegion } from './types.ts'

const region = (RegionID: number, fields: Partial<DERPRegion> = {}): DERPRegion => ({
  RegionID,
  RegionCode: `r${RegionID}`,
  RegionName: `Region ${RegionID}`,
  Nodes: [],
  ...fields,
})
const mapOf = (...regions: DERPRegion[]): DERPMap => ({
  Regions: Object.fromEntries(regions.map(r => [r.RegionID, r])),
})
const MAP = mapOf(region(1), region(2), region(3), region(4))

const report = (latencyMs: Record<number, number>, atMs = 0): LatencyReport => ({
  startedAtMs: atMs - 1_000,
  atMs,
  latencyMs,
})

/** `home reason` for one report at time 0. */
function pick(latencyMs: Record<number, number>, input: Partial<HomeInput> = {}): string {
  const { regionId, reason } = pickHome({ map: MAP, report: report(latencyMs), nowMs: 0, ...input })
  return `${regionId ?? '-'} ${reason}`
}

test.each<[what: string, latencyMs: Record<number, number>, input: Partial<HomeInput>, expected: string]>([
  ['the fastest is the first home', { 1: 30, 2: 20, 3: 40 }, {}, '2 first'],
  ['a home that is the fastest stays', { 1: 30, 2: 20 }, { current: 2 }, '2 fastest'],
  ['equals go by number', { 3: 20, 2: 20 }, {}, '2 first'],
  // Less than 10 ms is no reason to move, however large the ratio.
  ['4 ms and 5 ms', { 1: 5, 2: 4 }, { current: 1 }, '1 keptBySmallGain'],
  ['9.9 ms faster', { 1: 10.9, 2: 1 }, { current: 1 }, '1 keptBySmallGain'],
  ['10 ms faster, and less than two thirds', { 1: 11, 2: 1 }, { current: 1 }, '2 faster'],
  // Taking more than two thirds of the time is no reason to move, however many milliseconds are saved.
  ['201 of 300 ms', { 1: 300, 2: 201 }, { current: 1 }, '1 keptBySmallShare'],
  ['200 of 300 ms', { 1: 300, 2: 200 }, { current: 1 }, '2 faster'],
  ['a home that does not answer is left', { 2: 500 }, { current: 1 }, '2 lost'],
  // 120 s are twice the interval in which relays send KeepAlive.
  ['nothing measured, heard from 119 s ago', {}, { current: 1, heardAtMs: { 1: -119_999 } }, '1 keptUnmeasured'],
  ['nothing measured, heard from 120 s ago', {}, { current: 1, heardAtMs: { 1: -120_000 } }, '- none'],
  ['nothing measured, only another region heard from', {}, { current: 1, heardAtMs: { 2: -1 } }, '- none'],
  ['nothing measured, nothing heard', {}, { current: 1 }, '- none'],
  ['nothing measured, no home', {}, {}, '- none'],
  ['a home that is not in the map', { 2: 500 }, { current: 9 }, '2 excluded'],
  ['nothing measured, home not in the map', {}, { current: 9 }, '- none'],
  ['a measured region that is not in the map', { 9: 1, 2: 50 }, {}, '2 first'],
])('pickHome: %s', (_what, latencyMs, input, expected) => {
  expect(pick(latencyMs, input)).toBe(expected)
})

test('pickHome judges others by their best latency of five minutes, the home by its latest', () => {
  const history = [report({ 2: 10 }, -299_000), report({ 3: 1 }, -301_000)]
  const latencyMs = { 1: 100, 2: 90, 3: 80 }
  expect(pick(latencyMs, { current: 1 })).toBe('1 keptBySmallShare')
  expect(pick(latencyMs, { current: 1, history })).toBe('2 faster')
  // A home that was fast once gets no credit for it.
  expect(pick({ 1: 100, 2: 50 }, { current: 1, history: [report({ 1: 60 }, -1_000)] })).toBe('2 faster')
  // Only regions that respond now count.
  expect(pick({ 1: 100 }, { current: 1, history })).toBe('1 fastest')
})

test('recentReports keeps five minutes', () => {
  const reports = [-300_001, -300_000, -1, 0].map(atMs => report({}, atMs))
  expect(recentReports(reports, 0)).toEqual(reports.slice(1))
})

test('pickHome keeps a home that was heard from recently, measured or not', () => {
  const heard = (atMs: number) => pick({ 2: 1 }, { current: 1, heardAtMs: { 1: atMs } })
  expect(heard(-999)).toBe('1 keptHeard')
  expect(heard(-7_999)).toBe('1 keptHeard')
  expect(heard(-8_000)).toBe('2 lost')
  // However long the measurement took, anything received meanwhile counts.
  const slow = { startedAtMs: -20_000, atMs: 0, latencyMs: { 2: 1 } }
  const input = { map: MAP, report: slow, current: 1, nowMs: 0 }
  expect(pickHome({ ...input, heardAtMs: { 1: -19_999 } }).reason).toBe('keptHeard')
  expect(pickHome({ ...input, heardAtMs: { 1: -20_000 } }).reason).toBe('lost')
})

test('pickHome applies the map’s scores, and ignores those not above 0', () => {
  const scored = (RegionScore: Record<number, number>): DERPMap => ({ ...MAP, HomeParams: { RegionScore } })
  expect(pick({ 1: 30, 2: 40 }, { map: scored({ 2: 0.5 }) })).toBe('2 first')
  expect(pick({ 1: 30, 2: 20 }, { map: scored({ 2: 10 }) })).toBe('1 first')
  expect(pick({ 1: 30, 2: 20 }, { map: scored({ 1: 0, 2: -1 }) })).toBe('2 first')
  // Both sides of the comparison are scaled.
  expect(pick({ 1: 30, 2: 20 }, { current: 1, map: scored({ 1: 0.1 }) })).toBe('1 fastest')
  expect(pick({ 1: 30, 2: 30 }, { current: 1, map: scored({ 1: 2 }) })).toBe('2 faster')
})

test('pickHome never picks a region with NoMeasureNoHome, and one with Avoid only if no other responds', () => {
  const map = mapOf(region(1, { NoMeasureNoHome: true }), region(2, { Avoid: true }), region(3))
  expect(pick({ 1: 1, 2: 2, 3: 300 }, { map })).toBe('3 first')
  expect(pick({ 1: 1, 2: 2 }, { map })).toBe('2 first')
  expect(pick({ 1: 1 }, { map })).toBe('- none')
  expect(pick({ 1: 1, 3: 300 }, { map, current: 1, heardAtMs: { 1: 0 } })).toBe('3 excluded')
  expect(pick({ 2: 1, 3: 300 }, { map, current: 2 })).toBe('3 excluded')
  expect(pick({ 2: 1 }, { map, current: 3 })).toBe('2 lost')
  expect(pick({ 2: 1 }, { map, current: 3, heardAtMs: { 3: 0 } })).toBe('3 keptHeard')
})

test('pickHome picks the first pinned region that responds, and its own choice if none does', () => {
  expect(pick({ 1: 300, 2: 1, 3: 200 }, { pins: [4, 3, 1] })).toBe('3 pinned')
  expect(pick({ 1: 300, 2: 1 }, { pins: [4], heardAtMs: { 4: -1 } })).toBe('4 pinned')
  expect(pick({ 1: 300, 2: 1 }, { pins: [4] })).toBe('2 first')
  const map = mapOf(region(1, { Avoid: true }), region(2), region(3, { NoMeasureNoHome: true }))
  expect(pick({ 1: 300, 2: 1, 3: 1 }, { map, pins: [3, 1] })).toBe('1 pinned')
})

test('pickHome never picks a region on the avoid list', () => {
  expect(pick({ 1: 1, 2: 300 }, { avoid: [1] })).toBe('2 first')
  expect(pick({ 1: 1 }, { avoid: [1] })).toBe('- none')
  expect(pick({ 1: 1, 2: 300 }, { avoid: [1], current: 1 })).toBe('2 excluded')
  expect(pick({ 1: 1, 2: 300 }, { avoid: [1], pins: [1] })).toBe('2 first')
  expect(pick({}, { avoid: [1], current: 1 })).toBe('- none')
})

test('pickHome explains its choice', () => {
  const explain = (latencyMs: Record<number, number>, input: Partial<HomeInput> = {}) =>
    pickHome({ map: MAP, report: report(latencyMs), nowMs: 0, ...input }).explanation
  expect(explain({ 1: 5, 2: 1 }, { current: 1 })).toBe('region 1 kept: region 2 is only 4.0 ms faster')
  expect(explain({ 1: 300, 2: 288 }, { current: 1 })).toBe('region 1 kept: region 2 is only 4 % faster')
  expect(explain({ 1: 300, 2: 20 }, { current: 1 })).toBe('region 2 chosen: 20.0 ms, region 1 takes 300.0 ms')
  expect(explain({ 2: 20 }, { current: 1 })).toBe('region 2 chosen: region 1 does not respond')
})

const arbitraryLatencies = fc.dictionary(
  fc.constantFrom('1', '2', '3', '4'),
  fc.double({ min: 0, max: 1_000, noNaN: true }),
)

test('pickHome matches the original’s arithmetic for measured regions', () => {
  fc.assert(
    fc.property(arbitraryLatencies, arbitraryLatencies, fc.integer({ min: 1, max: 4 }), (now, before, current) => {
      const bestOf = (id: string) => Math.min(now[id] ?? Infinity, before[id] ?? Infinity)
      const ids = Object.keys(now).sort()
      let best = ids[0]
      for (const id of ids) if (best === undefined || bestOf(id) < bestOf(best)) best = id
      let expected = best === undefined ? undefined : Number(best)
      const currentMs = now[current]
      if (best !== undefined && expected !== current && currentMs !== undefined) {
        const bestMs = bestOf(best)
        if (currentMs - bestMs < 10 || bestMs > (currentMs * 2) / 3) expected = current
      }
      const { regionId } = pickHome({
        map: MAP,
        report: report(now),
        history: [report(before, -1)],
        current,
        nowMs: 0,
      })
      expect(regionId).toBe(expected)
    }),
    { seed: 3 },
  )
})

test('pickHome does not flap under noise below its margins', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.double({ min: 50, max: 59, noNaN: true }), fc.double({ min: 50, max: 59, noNaN: true })), {
        minLength: 2,
        maxLength: 50,
      }),
      rounds => {
        let current: number | undefined
        let history: readonly LatencyReport[] = []
        const homes = new Set<number>()
        rounds.forEach(([first, second], i) => {
          const now = report({ 1: first, 2: second }, i * 20_000)
          const { regionId } = pickHome({ map: MAP, report: now, history, current, nowMs: now.atMs })
          current = regionId
          history = recentReports([...history, now], now.atMs)
          homes.add(regionId ?? 0)
        })
        expect(homes.size).toBe(1)
      },
    ),
    { seed: 3 },
  )
})
