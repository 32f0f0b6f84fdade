/** A resilient client of a region whose map is replaced at runtime. */

import { expect, test } from 'vitest'
import type { Client } from '../../src/client/client.ts'
import { ResilientRegionClient, type ResilientRegionOptions } from '../../src/client/resilient/resilient-region.ts'
import type { DERPMap, DERPNode, DERPRegion } from '../../src/derpmap/types.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { TestRelay } from '../support/relay.ts'
import { settle } from '../support/settle.ts'

const node = (Name: string, fields: Partial<DERPNode> = {}): DERPNode => ({
  Name,
  RegionID: 1,
  HostName: `${Name}.test`,
  ...fields,
})
const mapOf = (nodes: DERPNode[], RegionID = 1): DERPMap => ({
  Regions: { [RegionID]: { RegionID, RegionCode: 'r', RegionName: 'R', Nodes: nodes } },
})

function setUp(map: DERPMap, options: Partial<ResilientRegionOptions> = {}) {
  const clock = new FakeClock()
  const relay = new TestRelay({ clock })
  const regions: (() => DERPRegion | undefined)[] = []
  const made: Client[] = []
  /** Nodes passed to the clients. */
  const asked: (readonly DERPNode[] | undefined)[] = []
  /** Unreachable hosts. */
  const dead = new Set<string>()
  const client = new ResilientRegionClient({
    map,
    regionId: 1,
    createClient: getRegion => {
      regions.push(getRegion)
      const dial = async () => {
        asked.push(getRegion()?.Nodes)
        if (dead.has(getRegion()?.Nodes.at(-1)?.HostName ?? '')) throw new Error('connection refused')
        return { conn: relay.connect() }
      }
      made.push(relay.client({ transport: { dial }, clock }))
      return made.at(-1) as Client
    },
    clock,
    random: () => 0,
    ...options,
  })
  const states: string[] = []
  client.events.on('state', ({ state, reason, node }) => states.push(`${state}/${reason}@${node ?? ''}`))
  return { client, relay, regions, asked, states, dead }
}

test('ResilientRegionClient connects to the first node that carries packets (P-220)', async () => {
  const { client, states, asked } = setUp(mapOf([node('s', { STUNOnly: true }), node('a'), node('b')]))
  await client.connect()
  expect(states).toEqual(['connecting/started@a', 'connected/accepted@a'])
  expect(asked[0]?.at(-1)).toEqual(node('a'))
})

test('ResilientRegionClient assigns each client its node, and sends the ideal one (P-225)', async () => {
  const { client, regions, asked } = setUp(mapOf([node('a'), node('b')]))
  await client.connect()
  client.replaceMap(mapOf([node('b'), node('a')]))
  expect(regions[0]?.()?.Nodes).toEqual([node('b', { STUNOnly: true }), node('a')])
  client.replaceMap(mapOf([node('b'), node('c')]))
  await settle()
  expect(asked).toEqual([[node('a')], [node('b')]])
  expect(regions[0]?.()).toBeUndefined()
})

test('replaceMap keeps a connection whose node is unchanged', async () => {
  const { client, states } = setUp(mapOf([node('a'), node('b')]))
  await client.connect()
  client.replaceMap(mapOf([node('a'), node('b', { HostName: 'moved.test' })]))
  client.replaceMap(mapOf([node('b', { HostName: 'moved.test' }), node('a')]))
  client.replaceMap(mapOf([node('c'), node('a', { STUNPort: 5 })]))
  await settle()
  expect(states).toHaveLength(2)
  expect(client.state).toBe('connected')
})

test.each<[string, DERPNode[], string]>([
  ['its host has changed', [node('a', { HostName: 'moved.test' }), node('b')], 'a'],
  ['its certificate has changed', [node('a', { CertName: 'other.test' }), node('b')], 'a'],
  ['it is gone', [node('b')], 'b'],
  ['it only answers STUN now', [node('a', { STUNOnly: true }), node('b')], 'b'],
])('replaceMap reconnects when %s', async (_what, nodes, next) => {
  const { client, states, asked } = setUp(mapOf([node('a'), node('b')]))
  await client.connect()
  client.replaceMap(mapOf(nodes))
  await settle()
  expect(states.slice(2)).toEqual([`connecting/targetsReplaced@${next}`, `connected/accepted@${next}`])
  expect(asked.at(-1)?.at(-1)).toEqual(nodes.find(({ Name }) => Name === next))
})

test.each<[string, DERPNode[]]>([
  ['share a name', [node('a', { HostName: 'dead.test' }), node('a', { HostName: 'good.test' })]],
  ['have no name', [node('', { HostName: 'dead.test' }), node('', { HostName: 'good.test' })]],
])('ResilientRegionClient fails over between nodes that %s', async (_what, nodes) => {
  const { client, asked, dead } = setUp(mapOf(nodes))
  dead.add('dead.test')
  await client.connect()
  expect(asked.map(each => each?.at(-1)?.HostName)).toEqual(['dead.test', 'good.test'])
})

test('a region missing from the map is waited for (P-220)', async () => {
  const { client, states, relay } = setUp(mapOf([node('a')], 7))
  const connecting = client.connect()
  await settle()
  expect(states).toEqual(['waiting/noTarget@'])
  client.replaceMap(mapOf([node('a')]))
  await connecting
  client.replaceMap({})
  await settle()
  expect(states.at(-1)).toBe('waiting/noTarget@')
  expect(relay.core.sessions.size).toBe(0)
})
