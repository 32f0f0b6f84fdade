import { expect, test } from 'vitest'
import type { DERPRegion } from '../../src/derpmap/types.ts'
import { Client } from '../../src/entries/client.ts'
import { NodePrivateKey } from '../../src/keys/node-key.ts'
import { REGION_ID, TestRegion } from '../support/region.ts'

test('derper -mesh-max-clients closes the link to a mesh peer that announces more (P-078)', async () => {
  // Each relay is one client of the other and, until it notices, one of itself.
  await using region = await TestRegion.start(['-mesh-max-clients', '2'])
  const [first, second] = region.nodes
  for (const node of region.nodes) await expect.poll(() => node.metric('derphttp_mesh_links_up')).toBe(1)
  const both = region.map.Regions?.[REGION_ID] as DERPRegion
  const atSecond = { ...both, Nodes: both.Nodes.filter(({ HostName }) => HostName === second.name) }
  const connect = async () => {
    const client = Client.forRegion(NodePrivateKey.generate(), () => atSecond, { tlsConfig: { ca: region.ca } })
    await client.connect()
    return client
  }
  const clients = [await connect(), await connect()]
  await expect.poll(() => first.metric('derphttp_mesh_links_up')).toBe(0)
  await first.program.stderrMatch(/ERR_DERP_MESH_FULL.*more than 2 clients/)
  expect(await second.metric('derphttp_mesh_links_up')).toBe(1)
  for (const client of clients) await client.close()
})
