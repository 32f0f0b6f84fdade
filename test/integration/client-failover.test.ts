/** Which failures of a node make a region client try the next. */

import { afterAll, beforeAll, expect, test } from 'vitest'
import { clientOf as toolClientOf } from '../../src/cli/derp/relay/relay-options.ts'
import type { DERPNode, DERPRegion } from '../../src/derpmap/types.ts'
import { Client, type ClientOptions, netcheckClient, ResilientRegionClient } from '../../src/entries/client.ts'
import { NodePrivateKey } from '../../src/keys/node-key.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { ListeningRelay } from '../support/listening-relay.ts'
import { startTcpServer } from '../support/socket-server.ts'
import { TestCa } from '../support/test-ca.ts'

let ca: TestCa
let relay: ListeningRelay

beforeAll(async () => {
  ca = await TestCa.create()
  const certificate = await ca.issue({ dns: ['relay.test'] })
  relay = await ListeningRelay.start({ tls: { hostname: 'relay.test', certificate } })
})
afterAll(() => relay[Symbol.asyncDispose]())

const nodeAt = (Name: string, DERPPort: number): DERPNode => ({
  Name,
  RegionID: 1,
  HostName: 'relay.test',
  IPv4: '127.0.0.1',
  IPv6: 'none',
  DERPPort,
})
const regionOf = (...Nodes: DERPNode[]): DERPRegion => ({ RegionID: 1, RegionCode: 'own', RegionName: '', Nodes })

/** Accepts connections without TLS. */
const startPlainServer = () => startTcpServer(socket => socket.end('SSH-2.0-nobody\r\n'))

function clientOf(region: DERPRegion, options: ClientOptions = {}): Client {
  const getRegion = () => region
  return Client.forRegion(NodePrivateKey.generate(), getRegion, { tlsConfig: { ca: ca.certificate }, ...options })
}

test('a region client does not skip a node whose TLS fails, as in the original (P-220)', async () => {
  await using plain = await startPlainServer()
  await using client = clientOf(regionOf(nodeAt('a', plain.port), nodeAt('b', relay.port)))
  await expect(client.connect()).rejects.toMatchObject({ code: 'ERR_DERP_TLS_FAILED' })
})

test('with failover "tls" a region client tries the next node (P-220)', async () => {
  await using plain = await startPlainServer()
  const region = regionOf(nodeAt('a', plain.port), nodeAt('b', relay.port))
  await using client = clientOf(region, { failover: 'tls' })
  await client.connect()
  expect(client.connectedNode()?.Name).toBe('b')
  const measuring = netcheckClient({ tlsConfig: { ca: ca.certificate }, failover: 'tls' })
  const { node, close } = await measuring.dialRegionTls(region)
  expect(node.Name).toBe('b')
  close()
})

test('with failover "tls" a node silent during the handshake is abandoned after 3 s (P-221)', async () => {
  const hello = Promise.withResolvers<void>()
  await using silent = await startTcpServer(socket => void socket.once('data', () => hello.resolve()))
  const clock = new FakeClock()
  await using client = clientOf(regionOf(nodeAt('a', silent.port), nodeAt('b', relay.port)), { failover: 'tls', clock })
  const connecting = client.connect()
  await hello.promise
  clock.advance(3_000)
  await connecting
  expect(client.connectedNode()?.Name).toBe('b')
})

test('ResilientRegionClient tries the next node when TLS fails', async () => {
  await using plain = await startPlainServer()
  const map = { Regions: { 1: regionOf(nodeAt('a', plain.port), nodeAt('b', relay.port)) } }
  await using client = new ResilientRegionClient({
    map,
    regionId: 1,
    createClient: getRegion =>
      Client.forRegion(NodePrivateKey.generate(), getRegion, { tlsConfig: { ca: ca.certificate } }),
  })
  const nodes: (string | undefined)[] = []
  client.events.on('state', ({ node }) => nodes.push(node))
  await client.connect()
  expect(nodes).toEqual(['a', 'b', 'b'])
})

test('the tools try the next node of a region when TLS fails', async () => {
  await using plain = await startPlainServer()
  const region = regionOf(nodeAt('a', plain.port), nodeAt('b', relay.port))
  const access = { target: { region }, pin: undefined, authorities: [ca.certificate], token: undefined }
  await using client = toolClientOf(access, NodePrivateKey.generate())
  await client.connect()
  expect(client.connectedNode()?.Name).toBe('b')
})
