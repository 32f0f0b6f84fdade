/** SIGTERM under load: clients move to the region's second node, and no packet is lost uncounted. */

import { expect, test } from 'vitest'
import { ResilientRegionClient } from '../../src/client/resilient/resilient-region.ts'
import { Client } from '../../src/entries/client.ts'
import { NodePrivateKey } from '../../src/keys/node-key.ts'
import { expectBalance, LoadedClient, sum } from '../support/loaded-client.ts'
import { PATIENCE_MS } from '../support/patience.ts'
import { REGION_ID, TestRegion } from '../support/region.ts'

const CLIENTS = 12
/** Tolerance for a busy machine: only lost clients would exceed it. */
const SLACK_MS = PATIENCE_MS

function loadedClient({ map, ca }: TestRegion): LoadedClient {
  const key = NodePrivateKey.generate()
  const client = new ResilientRegionClient({
    map,
    regionId: REGION_ID,
    healthyAfterMs: 0,
    sendWaitMs: 0,
    createClient: getRegion => Client.forRegion(key, getRegion, { tlsConfig: { ca } }),
  })
  return new LoadedClient(key.publicKey(), client)
}

test('SIGTERM under load moves clients to the second node within the announced time, and every accepted packet is delivered or counted (P-093, P-174)', async () => {
  await using region = await TestRegion.start([
    '-drain-time',
    '3s',
    '-drain-try-for',
    '500ms',
    '-drain-deadline',
    '60s',
  ])
  const [first, second] = region.nodes
  for (const node of region.nodes) {
    await expect.poll(() => node.metric('derphttp_mesh_links_up')).toBe(1)
  }
  const clients = Array.from({ length: CLIENTS }, () => loadedClient(region))
  // One by one, so that none times out at the first node and switches to the second.
  for (const client of clients) await client.connect()
  const received = () => sum(clients.map(client => client.received))
  const allHave = (atLeast: number) => clients.every(client => client.received >= atLeast)
  for (const [at, client] of clients.entries()) {
    client.sendTo((clients[(at + 1) % CLIENTS] as LoadedClient).publicKey)
  }
  await expect.poll(() => allHave(50)).toBe(true)
  expect(new Set(clients.map(({ node }) => node))).toEqual(new Set([first.name]))

  first.program.child.kill('SIGTERM')
  const words = await first.drainLine()
  expect(await first.program.exit()).toBe(0)
  await expect.poll(() => clients.every(({ node }) => node === second.name)).toBe(true)
  for (const { promises, connectingAtMs } of clients) {
    expect(promises).toHaveLength(1)
    expect(connectingAtMs.get(second.name) ?? Number.POSITIVE_INFINITY).toBeLessThan((promises[0] ?? 0) + SLACK_MS)
  }
  // Includes the mesh peer's link.
  expect(words).toMatchObject({ told: CLIENTS + 1, moved: CLIENTS + 1, cut: 0 })
  expectBalance(words)

  const before = clients.map(client => client.received)
  await expect.poll(() => clients.every((client, at) => client.received > (before[at] ?? 0) + 20)).toBe(true)
  await Promise.all(clients.map(client => client.stopSending()))
  // The clients have received everything that both relays sent.
  const sent = async () => words.packetsSent + (await second.metric('derp_packets_sent'))
  await expect.poll(async () => (await sent()) - received()).toBe(0)
  await Promise.all(clients.map(client => client.close()))

  second.program.child.kill('SIGTERM')
  const drainLine = await second.drainLine()
  expect(await second.program.exit()).toBe(0)
  expectBalance(drainLine)
  expect(words.packetsSent + drainLine.packetsSent).toBe(received())
  // Packets forwarded by the first, less those counted as lost, have arrived at the second.
  expect(drainLine.packetsForwardedIn).toBe(words.packetsForwardedOut - sum(Object.values(words.meshPacketsDropped)))
  // And vice versa, although the first was shutting down.
  expect(words.packetsForwardedIn).toBe(
    drainLine.packetsForwardedOut - sum(Object.values(drainLine.meshPacketsDropped)),
  )
})
