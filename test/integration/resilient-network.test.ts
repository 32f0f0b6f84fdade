/** Effects of network changes on a resilient client. */

import { expect, test } from 'vitest'
import { UpgradeRefusedError } from '../../src/client/dial/upgrade-response.ts'
import type { NetworkChange } from '../../src/client/ports.ts'
import { type Behaviour, FlakySetup, refusing } from '../support/flaky-nodes.ts'
import { settle } from '../support/settle.ts'

/** A client whose address is 192.0.2.1, and its network monitor. */
function setUp(behaviour: Behaviour | 'good') {
  const listeners = new Set<(change: NetworkChange) => void>()
  const netMon = {
    subscribe: (listener: (change: NetworkChange) => void) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
  const setup = new FlakySetup({ a: behaviour, b: behaviour }, { netMon })
  const change = async (addresses?: readonly string[]) => {
    for (const listener of listeners) listener({ addresses })
    await settle()
  }
  return { setup, change, listeners }
}

test('a connection whose local address is gone is dropped and re-established immediately', async () => {
  const { setup, change } = setUp('good')
  setup.receive()
  await setup.client.connect()
  await change(['198.51.100.7'])
  expect(setup.states.slice(2)).toEqual(['connecting/networkChanged@a', 'connected/accepted@a'])
})

test('a connection whose local address remains is kept, after a successful ping (P-091)', async () => {
  const { setup, change } = setUp('good')
  setup.receive()
  await setup.client.connect()
  const pings = setup.relay.core.counters.gotPing
  await change(['198.51.100.7', '192.0.2.1'])
  expect(setup.relay.core.counters.gotPing).toBe(pings + 1)
  await setup.pass(20_000)
  expect(setup.states).toHaveLength(2)
})

test('a connection broken by a network change is detected by that ping, even without known addresses (P-091)', async () => {
  for (const addresses of [['192.0.2.1'], undefined]) {
    const { setup, change } = setUp('good')
    setup.receive()
    await setup.client.connect()
    await setup.pass(1_000)
    setup.mute()
    await change(addresses)
    await setup.pass(10_000)
    expect(setup.states.slice(2, 3)).toEqual(['connecting/unanswered@b'])
  }
})

test('a network change cuts short the wait for a failed relay, not for a denied one', async () => {
  const { setup, change } = setUp(refusing)
  setup.receive()
  await setup.pass(300_000, 1_000)
  const before = setup.dials.length
  await change()
  expect(setup.states.at(-1)).toMatch(/^waiting\/networkChanged@/)
  await setup.pass(500, 125)
  expect(setup.dials.length).toBe(before + 2)
  const denied = setUp(() => Promise.reject(new UpgradeRefusedError(403, 'no')))
  denied.setup.receive()
  await settle()
  await denied.change()
  await denied.setup.pass(30_000)
  expect(denied.setup.dials).toHaveLength(2)
})

test('a network change does not affect a pending attempt', async () => {
  const { setup, change } = setUp('good')
  setup.receive()
  const connecting = setup.client.connect()
  await change(['198.51.100.7'])
  await connecting
  expect(setup.dials).toHaveLength(1)
})

test('close unsubscribes; nothing is subscribed before the first use', async () => {
  const { setup, listeners } = setUp('good')
  expect(listeners.size).toBe(0)
  await setup.client.connect()
  expect(listeners.size).toBe(1)
  await setup.client.close()
  expect(listeners.size).toBe(0)
})
