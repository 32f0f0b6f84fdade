/** A resilient client with failing dials: its states, with times by its clock. */

import { expect, test } from 'vitest'
import type { DnsCache } from '../../src/client/dial/dns-cache.ts'
import { ResilientClient } from '../../src/client/resilient/resilient-client.ts'
import type { DERPNode } from '../../src/derpmap/types.ts'
import { Client, type ClientOptions, NodeTransport, type NodeTransportOptions } from '../../src/entries/client.ts'
import { NodePrivateKey } from '../../src/keys/node-key.ts'
import { type Fate, FatefulNetwork } from '../support/black-hole.ts'
import { startConnectProxy } from '../support/connect-proxy.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { ListeningRelay } from '../support/listening-relay.ts'
import { settle, until } from '../support/settle.ts'

const [V4, V6] = ['192.0.2.1', '2001:db8::1'] as const

const node = (Name: string): DERPNode => ({ Name, RegionID: 1, HostName: `${Name}.test` })

interface Setup {
  readonly nodes: readonly DERPNode[]
  readonly fates: Readonly<Record<string, Fate>>
  readonly dns: DnsCache
  readonly transport?: NodeTransportOptions
}

/** A resilient client of one region over plain HTTP, in a scripted network. */
function start({ nodes, fates, dns, transport }: Setup) {
  const clock = new FakeClock()
  const network = new FatefulNetwork(fates)
  const region = { RegionID: 1, RegionCode: 'own', RegionName: '', Nodes: nodes }
  const privateKey = NodePrivateKey.generate()
  const options: ClientOptions = {
    transport: new NodeTransport({ useHttp: true, dnsCache: dns, clock, ...transport }, network.connect),
    clock,
  }
  return { clock, network, ...following(() => Client.forRegion(privateKey, () => region, options), clock) }
}

/** Starts connecting, and records states. */
function following(createClient: () => Client, clock: FakeClock) {
  const client = new ResilientClient({ targets: ['region'], createClient, clock, random: () => 0 })
  const states: string[] = []
  client.events.on('state', ({ state, reason }) => states.push(`${state}/${reason}`))
  const receiving = client.recv().catch(() => {})
  return {
    client,
    states,
    async [Symbol.asyncDispose]() {
      await client.close()
      await receiving
    },
  }
}

test('unreachable IPv6: connected over IPv4 after 200 ms, in one attempt (P-221)', async () => {
  await using relay = await ListeningRelay.start()
  await using setup = start({
    nodes: [node('1a')],
    fates: { [V6]: 'silent', [V4]: relay.port },
    dns: { lookup: async () => [V6, V4] },
    transport: { addressFamilySelector: { preferIPv6: () => true } },
  })
  await until(() => setup.network.waiting === 1, 'IPv6 is being dialled')
  setup.clock.advance(199)
  await settle()
  expect(setup.states).toHaveLength(1)
  setup.clock.advance(1)
  await until(() => setup.client.state === 'connected', 'the client is connected')
  expect(setup.states).toEqual(['connecting/started', 'connected/accepted'])
})

test('unresponsive DNS: connected to the other node after 1.5 s, in one attempt (P-221)', async () => {
  await using relay = await ListeningRelay.start()
  const lookup = (host: string) => (host === '1b.test' ? Promise.resolve([V4]) : new Promise<never>(() => {}))
  await using setup = start({ nodes: [node('1a'), node('1b')], fates: { [V4]: relay.port }, dns: { lookup } })
  await until(() => setup.clock.pendingTimers >= 2, 'the first node is being looked up')
  await settle()
  setup.clock.advance(1_499)
  await settle()
  expect(setup.states).toHaveLength(1)
  setup.clock.advance(1)
  await until(() => setup.client.state === 'connected', 'the client is connected')
  expect(setup.states).toEqual(['connecting/started', 'connected/accepted'])
})

test('a wrong proxy password: waiting, with growing delays (P-224)', async () => {
  await using proxy = await startConnectProxy({ credentials: 'me:secret' })
  const clock = new FakeClock()
  const privateKey = NodePrivateKey.generate()
  const proxyEnv = { HTTPS_PROXY: `http://me:guess@127.0.0.1:${proxy.port}` }
  await using setup = following(() => new Client(privateKey, 'https://relay.test/derp', { proxyEnv, clock }), clock)
  const pauses: number[] = []
  for (let attempt = 1; attempt <= 4; attempt++) {
    await until(() => setup.states.filter(state => state.startsWith('waiting/')).length === attempt, 'it was refused')
    const begunMs = clock.now()
    for (let step = 0; step < 400 && setup.client.state === 'waiting'; step++) {
      clock.advance(25)
      await settle(2)
    }
    pauses.push(clock.now() - begunMs)
  }
  expect(setup.states.slice(0, 4)).toEqual([
    'connecting/started',
    'waiting/failed',
    'connecting/failed',
    'waiting/failed',
  ])
  expect(pauses).toEqual([125, 250, 500, 1_000])
})
