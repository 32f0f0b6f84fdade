/** A resilient client over sockets, through a fault-injecting proxy: its states, with times by its clock. */

import { expect, test } from 'vitest'
import { ResilientClient } from '../../src/client/resilient/resilient-client.ts'
import { Client } from '../../src/entries/client.ts'
import { NodePrivateKey } from '../../src/keys/node-key.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { FaultProxy } from '../support/fault-proxy.ts'
import { ListeningRelay } from '../support/listening-relay.ts'
import { settle, until } from '../support/settle.ts'

/** A relay behind two proxies as nodes, and a client with a stopped clock. */
async function start() {
  const relay = await ListeningRelay.start()
  const nodes = [await FaultProxy.start(relay.port), await FaultProxy.start(relay.port)] as const
  const clock = new FakeClock()
  const privateKey = NodePrivateKey.generate()
  const client = new ResilientClient({
    targets: nodes.map(({ port }) => `http://127.0.0.1:${port}/derp`),
    createClient: url => new Client(privateKey, url, { clock }),
    nameOf: url => (url.includes(`:${nodes[0].port}/`) ? 'a' : 'b'),
    clock,
    random: () => 0,
  })
  const states: string[] = []
  client.events.on('state', ({ state, reason, node }) => states.push(`${state}/${reason}@${node ?? ''}`))
  const received: string[] = []
  const receiving = (async () => {
    for await (const { type } of client) received.push(type)
  })().catch(() => {})
  /** Waits for a state, for a limited time of the client's clock, which is advanced meanwhile. */
  const stateWithin = async (ms: number, wanted: string) => {
    for (let passed = 0; passed < ms && !states.includes(wanted); passed += 25) {
      clock.advance(25)
      await settle(2)
    }
    await until(() => states.includes(wanted), `${wanted} is told`)
    return states.splice(0)
  }
  const connectedTo = async (node: string) => {
    await until(() => states.at(-1) === `connected/accepted@${node}`, `node ${node} is connected`)
    return states.splice(0)
  }
  return {
    relay,
    nodes,
    clock,
    client,
    states,
    received,
    stateWithin,
    connectedTo,
    async [Symbol.asyncDispose]() {
      await client.close()
      await receiving
      for (const node of nodes) await node[Symbol.asyncDispose]()
      await relay[Symbol.asyncDispose]()
    },
  }
}

test.each(['reset', 'cut'] as const)(
  'a connection broken by %s: lost, and re-established at the same node',
  async fault => {
    await using setup = await start()
    await setup.connectedTo('a')
    setup.clock.advance(10_000)
    // The ping that shows that the connection is healthy, and its Pong.
    await until(() => setup.relay.relay.core.counters.gotPing > 0, 'the relay was pinged')
    await settle(20)
    setup.nodes[0].spoilAll(fault)
    await setup.stateWithin(0, 'waiting/lost@a')
    setup.clock.advance(124)
    expect(setup.states).toEqual([])
    setup.clock.advance(1)
    expect(await setup.connectedTo('a')).toEqual(['connecting/lost@a', 'connected/accepted@a'])
  },
)

test('a half-open connection: detected within 40 s, then immediately the next node', async () => {
  await using setup = await start()
  await setup.connectedTo('a')
  setup.nodes[0].spoilAll('halfOpen', 60_000)
  await settle(5)
  setup.clock.advance(10_000)
  await settle(5)
  setup.clock.advance(9_999)
  await settle(5)
  expect(setup.states).toEqual([])
  setup.clock.advance(1)
  expect(await setup.connectedTo('b')).toEqual(['connecting/unanswered@b', 'connected/accepted@b'])
})

test('a slow or temporarily stalled connection is kept', async () => {
  await using setup = await start()
  await setup.connectedTo('a')
  setup.nodes[0].spoilAll('delay', 20)
  await setup.client.ping()
  setup.nodes[0].spoilAll('stall', 50)
  await setup.client.ping()
  expect(setup.states).toEqual([])
})

test('one dead node of two: connected to the other without delay', async () => {
  await using setup = await start()
  await setup.connectedTo('a')
  setup.nodes[0].gate = 'refusing'
  setup.nodes[0].spoilAll('reset')
  expect(await setup.connectedTo('b')).toEqual(['connecting/lost@b', 'connected/accepted@b'])
  expect(setup.clock.now()).toBe(0)
})

test('a node that never responds: connected to the other after the 10 s of an attempt (P-202)', async () => {
  await using setup = await start()
  await setup.connectedTo('a')
  setup.nodes[0].gate = 'silent'
  setup.nodes[1].gate = 'silent'
  setup.nodes[0].spoilAll('reset')
  await until(() => setup.nodes[1].accepted === 1, 'the other node was dialled')
  await settle(5)
  setup.clock.advance(9_999)
  await settle(5)
  expect(setup.states.splice(0)).toEqual(['connecting/lost@b'])
  setup.nodes[0].gate = 'open'
  setup.clock.advance(1)
  expect(await setup.connectedTo('a')).toEqual(['connecting/failed@a', 'connected/accepted@a'])
})

test('a relay that is killed and started again: failing, then connected', async () => {
  await using setup = await start()
  await setup.connectedTo('a')
  for (const node of setup.nodes) node.gate = 'refusing'
  for (const node of setup.nodes) node.spoilAll('reset')
  const away = await setup.stateWithin(0, 'waiting/failed@a')
  expect(away).toEqual(['connecting/lost@b', 'waiting/failed@a'])
  for (const node of setup.nodes) node.gate = 'open'
  for (let i = 0; i < 400 && setup.client.state !== 'connected'; i++) {
    setup.clock.advance(100)
    await settle(5)
  }
  await until(() => setup.client.state === 'connected', 'the client is back')
})
