import { expect, test } from 'vitest'
import type { DERPMap } from '../derpmap/types.ts'
import { probedNodes, wantedProbes } from './probe-plan.ts'

const node = (Name: string, more = {}) => ({ Name, RegionID: 1, HostName: `${Name}.test`, ...more })
const map: DERPMap = {
  Regions: {
    1: {
      RegionID: 1,
      RegionCode: 'lab',
      RegionName: 'Lab',
      Nodes: [
        node('1a', { IPv4: '192.0.2.1', IPv6: '2001:db8::1' }),
        node('1b', { IPv4: '192.0.2.2', IPv6: 'none', STUNPort: 3479 }),
      ],
    },
    2: { RegionID: 2, RegionCode: 'far', RegionName: 'Far', Nodes: [node('2a', { IPv4: '192.0.2.3', STUNPort: -1 })] },
  },
}
const EACH = { tlsIntervalMs: 1_000, stunIntervalMs: 2_000, meshIntervalMs: 3_000 }
const names = (...input: Parameters<typeof wantedProbes>) => wantedProbes(...input).map(({ name }) => name)

test('wantedProbes names probes as the original does', () => {
  expect(names(map, EACH)).toEqual([
    'derp/lab/1a/tls',
    'derp/lab/1a/udp6',
    'derp/lab/1a/udp',
    'derp/lab/1a/1a/mesh',
    'derp/lab/1a/1b/mesh',
    'derp/lab/1b/tls',
    'derp/lab/1b/udp',
    'derp/lab/1b/1a/mesh',
    'derp/lab/1b/1b/mesh',
    'derp/far/2a/tls',
    'derp/far/2a/2a/mesh',
  ])
})

test.each(['far', '2'])('wantedProbes probes region %s only', region => {
  expect(names(map, { ...EACH, region })).toEqual(['derp/far/2a/tls', 'derp/far/2a/2a/mesh'])
})

test('wantedProbes leaves out kinds that are off, and adds those that are on', () => {
  const kinds = {
    tlsIntervalMs: 0,
    stunIntervalMs: 0,
    meshIntervalMs: 0,
    bandwidth: { intervalMs: 60_000, sizeBytes: 1_000 },
    queueDelay: { packetsPerSecond: 10, packetTimeoutMs: 5_000 },
    region: 'far',
  }
  expect(wantedProbes(map, kinds).map(({ name, intervalMs }) => [name, intervalMs])).toEqual([
    ['derp/far/2a/2a/bw', 60_000],
    ['derp/far/2a/2a/qd', -10_000],
  ])
})

test('wantedProbes labels probes by region and host', () => {
  expect(wantedProbes(map, EACH)[0]?.labels).toEqual({ region: 'lab', region_id: '1', hostname: '1a.test' })
})

test('probedNodes refuses two nodes of one name, unless their region is not probed', () => {
  const twice = {
    Regions: { ...map.Regions, 3: { RegionID: 3, RegionCode: 'twice', RegionName: '', Nodes: [node('1a')] } },
  }
  expect(() => probedNodes(twice, undefined)).toThrow(
    'use DERP map: two nodes (1a.test and 1a.test) have the name "1a"',
  )
  expect([...probedNodes(twice, 'far').keys()]).toEqual(['2a'])
})

test('probedNodes probes nodes for STUN only in full, as the original does', () => {
  const only = {
    Regions: { 1: { RegionID: 1, RegionCode: '', RegionName: '', Nodes: [node('1a', { STUNOnly: true })] } },
  }
  expect(probedNodes(only, undefined).get('1a')?.STUNOnly).toBe(false)
})
