import { expect, test } from 'vitest'
import type { DERPMap } from '../derpmap/types.ts'
import { colorOf, matrixOf, recentRuns } from './matrix.ts'
import type { ProbeInfo } from './probe-info.ts'

const infoOf = (name: string, more: Partial<ProbeInfo> = {}): ProbeInfo => ({
  name,
  class: 'test',
  intervalMs: 15_000,
  labels: {},
  startedAtMs: 1,
  endedAtMs: 2,
  latencyMs: 1,
  status: 'succeeded',
  error: undefined,
  notes: [],
  recentResults: [true],
  recentLatenciesMs: [1],
  ...more,
})

const node = (Name: string) => ({ Name, RegionID: 1, HostName: `${Name}.test` })
const map: DERPMap = {
  Regions: {
    1: { RegionID: 1, RegionCode: 'lab', RegionName: 'Lab', Nodes: [node('1a'), node('1b')] },
    2: { RegionID: 2, RegionCode: 'far', RegionName: 'Far', Nodes: [node('2a')] },
  },
}

test('matrixOf has a row for each node, and a cell for each thing that is probed of it', () => {
  const names = ['derp/lab/1a/tls', 'derp/lab/1a/udp', 'derp/lab/1a/1b/mesh', 'derp/lab/1a/1b/bw', 'derp/lab/1b/1a/qd']
  const [region, ...others] = matrixOf(
    map,
    names.map(name => infoOf(name)),
  )
  expect(others).toEqual([])
  expect(region).toMatchObject({
    code: 'lab',
    name: 'Lab',
    columns: ['TLS', 'STUN IPv4', 'STUN IPv6', 'to 1a', 'to 1b'],
  })
  expect(
    region?.rows.map(({ node, hostname, cells }) => [
      node,
      hostname,
      cells.map(cell => cell.map(({ info }) => info.name)),
    ]),
  ).toEqual([
    ['1a', '1a.test', [['derp/lab/1a/tls'], ['derp/lab/1a/udp'], [], [], ['derp/lab/1a/1b/mesh', 'derp/lab/1a/1b/bw']]],
    ['1b', '1b.test', [[], [], [], ['derp/lab/1b/1a/qd'], []]],
  ])
})

test('colorOf is green for what works, amber for what failed a short while ago, red for what fails', () => {
  expect(colorOf(infoOf('a'))).toBe('green')
  expect(colorOf(infoOf('a', { recentResults: [false, true] }))).toBe('amber')
  expect(colorOf(infoOf('a', { error: 'down', recentResults: [true, false] }))).toBe('red')
  expect(colorOf(infoOf('a', { endedAtMs: undefined, recentResults: [] }))).toBe('grey')
  const continuous = { intervalMs: -10_000, endedAtMs: undefined, recentResults: [] }
  expect(colorOf(infoOf('a', { ...continuous, status: 'running' }))).toBe('green')
  expect(colorOf(infoOf('a', { ...continuous, status: 'unknown' }))).toBe('grey')
})

test('recentRuns gives each run its latency', () => {
  const recent = { recentResults: [true, false, true], recentLatenciesMs: [7, 8, 9] }
  expect(recentRuns(infoOf('a', recent))).toEqual([8, undefined, 9])
})
