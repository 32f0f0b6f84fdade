import { describe, expect, test } from 'vitest'
import type { DERPMap, DERPNode } from '../derpmap/types.ts'
import { fullPlan, incrementalPlan, type ProbeSet } from './probe-plan.ts'
import type { Report } from './report.ts'

const BOTH = { v4: true, v6: true }
const node = (name: string, fields: Partial<DERPNode> = {}): DERPNode => ({
  Name: name,
  RegionID: Number.parseInt(name, 10),
  HostName: `${name}.example`,
  ...fields,
})

function mapOf(...regions: readonly DERPNode[][]): DERPMap {
  return {
    Regions: Object.fromEntries(
      regions.map((Nodes, at) => [
        at + 1,
        { RegionID: at + 1, RegionCode: `r${at + 1}`, RegionName: `R${at + 1}`, Nodes },
      ]),
    ),
  }
}

/** A set on one line, for example `1/4: 1a@0 1b@100`. */
const lineOf = ({ regionId, family, probes }: ProbeSet) =>
  `${regionId}/${family}: ${probes.map(({ node: { Name }, delayMs }) => `${Name}@${delayMs}`).join(' ')}`

describe('fullPlan', () => {
  test('rotates through the nodes of each region, for both families', () => {
    expect(fullPlan(mapOf([node('1a'), node('1b')], [node('2a')]), BOTH).map(lineOf)).toEqual([
      '1/4: 1a@0 1b@100 1a@200',
      '1/6: 1a@0 1b@100 1a@200',
      '2/4: 2a@0 2a@100 2a@200',
      '2/6: 2a@0 2a@100 2a@200',
    ])
  })

  test('skips families that the machine or the map does not have', () => {
    const map = mapOf([node('1a', { IPv6: 'none' })], [node('2a', { IPv4: 'none' })], [node('3a')])
    expect(fullPlan(map, { v4: true, v6: false }).map(lineOf)).toEqual([
      '1/4: 1a@0 1a@100 1a@200',
      '3/4: 3a@0 3a@100 3a@200',
    ])
  })

  test('never probes nodes without STUN, and always probes nodes for tests', () => {
    const map = mapOf([node('1a', { STUNPort: -1 })], [node('2a', { STUNTestIP: '127.0.0.1' })])
    expect(fullPlan(map, { v4: false, v6: false }).map(lineOf)).toEqual(['2/4: 2a@0 2a@100 2a@200'])
  })
})

describe('incrementalPlan', () => {
  const map = mapOf([node('1a')], [node('2a')], [node('3a')], [node('4a')], [node('5a')])

  function lastOf(latencyMs: Record<number, number>, home: number, had6 = false): Report {
    const regions = new Map(
      Object.entries(latencyMs).map(([id, ms]) => [
        Number(id),
        { stunV4Ms: ms, stunV6Ms: had6 ? ms : undefined, https: undefined, httpsProblem: undefined },
      ]),
    )
    return {
      regions,
      latency: { startedAtMs: 0, atMs: 0, latencyMs },
      home: { regionId: home, reason: 'first', explanation: '' },
    } as unknown as Report
  }

  test('probes the fastest three, the first two of them twice, and a slow home four times', () => {
    const last = lastOf({ 1: 10, 2: 20, 3: 30, 4: 40, 5: 50 }, 5)
    expect(incrementalPlan(map, { v4: true, v6: false }, last).map(lineOf)).toEqual([
      '1/4: 1a@0 1a@12',
      '2/4: 2a@0 2a@24',
      '3/4: 3a@0',
      '5/4: 5a@0 5a@60 5a@220 5a@330',
    ])
  })

  test('probes the third over only one family if both work', () => {
    const last = lastOf({ 1: 10, 2: 20, 3: 30 }, 1, true)
    const families = incrementalPlan(map, BOTH, last).map(({ regionId, family }) => `${regionId}/${family}`)
    expect(families).toEqual(['1/4', '1/6', '2/4', '2/6', '3/4'])
  })
})
