/** The resilient client for callers: waits, rejections, close, and replaced targets. */

import { expect, test } from 'vitest'
import { ResilientClient } from '../../src/client/resilient/resilient-client.ts'
import type { StateEvent } from '../../src/client/resilient/resilient-events.ts'
import { Client, NodePrivateKey } from '../../src/entries/derphttp.ts'
import { DerpError } from '../../src/lib/derp-error.ts'
import { FlakySetup, refusing, silent } from '../support/flaky-nodes.ts'
import { rejectionsOf } from '../support/rejections.ts'
import { nextMessage } from '../support/relay.ts'
import { settle, until } from '../support/settle.ts'

const BYTES = Uint8Array.of(1, 2, 3)
const PEER = NodePrivateKey.generate().publicKey()

const connected = (setup: FlakySetup) => until(() => setup.client.state === 'connected', 'the client is connected')

test('send without a connection waits for one, up to a limit', async () => {
  const setup = new FlakySetup({ a: refusing })
  const early = setup.client.send(PEER, BYTES)
  const rejected = expect(early).rejects.toMatchObject({
    code: 'ERR_DERP_CLIENT_NOT_CONNECTED',
    message: 'send packet: not connected within 5000 ms',
    cause: expect.objectContaining({ code: 'ERR_DERP_DIAL_FAILED' }),
  })
  await setup.pass(4_999)
  setup.behave('a', 'good')
  const late = setup.client.send(PEER, BYTES)
  await setup.pass(1)
  await rejected
  await setup.pass(4_000)
  await late
  expect(setup.client.state).toBe('connected')
})

test('send with sendWaitMs 0 is rejected immediately; an abort ends the wait', async () => {
  const setup = new FlakySetup({ a: refusing }, { sendWaitMs: 0 })
  const rejected = setup.client.send(PEER, BYTES)
  setup.clock.advance(0)
  await expect(rejected).rejects.toMatchObject({ code: 'ERR_DERP_CLIENT_NOT_CONNECTED' })
  const patient = new FlakySetup({ a: refusing })
  const controller = new AbortController()
  const waiting = patient.client.send(PEER, BYTES, controller.signal)
  controller.abort()
  await expect(waiting).rejects.toMatchObject({ code: 'ERR_DERP_ABORTED' })
})

test('a send whose connection breaks is rejected, and does not reconnect by itself', async () => {
  const setup = new FlakySetup({ a: 'good' })
  await setup.client.connect()
  setup.conns.at(-1)?.destroy()
  const sends = Array.from({ length: 20 }, () => setup.client.send(PEER, BYTES))
  const rejected = await rejectionsOf(sends)
  for (const error of rejected) expect(error).toBeInstanceOf(DerpError)
  expect(setup.dials).toHaveLength(1)
  await setup.pass(1_000)
  expect(setup.dials).toHaveLength(2)
})

test('reading pauses while the caller does not receive, and the relay does not count as dead', async () => {
  const setup = new FlakySetup({ a: 'good' }, { receiveQueueBytes: 2_000 })
  const peer = await setup.relay.readyClient()
  await setup.client.connect()
  await setup.client.send(peer.selfPublicKey(), BYTES)
  const { source } = await nextMessage(peer, 'receivedPacket')
  for (let i = 0; i < 10; i++) await peer.send(source, new Uint8Array(1_000).fill(i))
  await setup.pass(300_000, 1_000)
  expect(setup.states).toHaveLength(2)
  for (let i = 0; i < 10; i++) {
    expect((await nextMessage(setup.client, 'receivedPacket')).data[0]).toBe(i)
  }
  await setup.client.ping()
})

test('a failed send reports a loss that no receiver would notice', async () => {
  const setup = new FlakySetup({ a: 'good' }, { receiveQueueBytes: 1 })
  await setup.client.connect()
  setup.conns.at(-1)?.destroy()
  await setup.pass(60_000, 1_000)
  expect(setup.states).toHaveLength(2)
  await expect(setup.client.send(PEER, BYTES)).rejects.toMatchObject({ code: 'ERR_DERP_CONN_CLOSED' })
  await setup.pass(1_000)
  expect(setup.states.slice(2)).toEqual(['waiting/lost@a', 'connecting/lost@a', 'connected/accepted@a'])
})

test('send copies its bytes, which may be overwritten while it waits', async () => {
  const setup = new FlakySetup({ a: 'good' })
  const peer = await setup.relay.readyClient()
  const data = Uint8Array.from(BYTES)
  const sent = setup.client.send(peer.selfPublicKey(), data)
  data.fill(9)
  await sent
  expect(await nextMessage(peer, 'receivedPacket')).toMatchObject({ data: BYTES })
})

test('ping needs a connection and a receiver (P-207)', async () => {
  const setup = new FlakySetup({ a: 'good' })
  await expect(setup.client.ping()).rejects.toMatchObject({ code: 'ERR_DERP_CLIENT_NOT_CONNECTED' })
  await setup.client.connect()
  await setup.client.ping()
})

test('notePreferred is sent on every connection, to any node (P-210)', async () => {
  const setup = new FlakySetup({ a: 'good', b: 'good' })
  const isHome = () => setup.relay.core.counters.currentHomeConnections
  setup.receive()
  await setup.client.notePreferred(true)
  await setup.client.connect()
  await until(() => isHome() === 1, 'the relay knows')
  await setup.client.notePreferred(false)
  await until(() => isHome() === 0, 'the relay knows')
  await setup.client.notePreferred(true)
  setup.behave('a', refusing)
  setup.conns.at(-1)?.destroy()
  await setup.pass(1_000)
  expect(setup.states.at(-1)).toBe('connected/accepted@b')
  await until(() => isHome() === 1, 'the other node knows')
})

test('close ends everything in every state, and leaves no timers (P-209)', async () => {
  for (const behaviour of ['good', refusing, silent] as const) {
    const setup = new FlakySetup({ a: behaviour })
    const loop = setup.receive()
    const pending: Promise<unknown>[] = [setup.client.send(PEER, BYTES), setup.client.connect()]
    if (behaviour === 'good') {
      await Promise.all(pending.splice(0))
      pending.push(setup.client.recv())
    }
    await settle()
    const state = setup.client.state
    expect(state).toBe({ good: 'connected', refusing: 'waiting', silent: 'connecting' }[nameOf(behaviour)])
    await setup.client.close()
    expect(await loop.over).toMatchObject({ code: 'ERR_DERP_CLIENT_CLOSED' })
    const later = [
      setup.client.send(PEER, BYTES),
      setup.client.recv(),
      setup.client.connect(),
      setup.client.ping(),
      setup.client.notePreferred(true),
      setup.client.close(),
    ]
    for (const error of await rejectionsOf([...pending, ...later])) {
      expect(error).toMatchObject({ code: 'ERR_DERP_CLIENT_CLOSED' })
    }
    expect(() => setup.client.replaceTargets([])).toThrow(expect.objectContaining({ code: 'ERR_DERP_CLIENT_CLOSED' }))
    expect(setup.states.at(-1)).toBe('closed/closed@')
    await until(() => setup.relay.core.sessions.size === 0, 'the relay has seen the close')
    setup.relay.core.close()
    expect(setup.clock.pendingTimers).toBe(0)
    await setup.pass(60_000, 5_000)
    expect(setup.dials).toHaveLength(1)
  }
})

const nameOf = (behaviour: unknown) => (behaviour === 'good' ? 'good' : behaviour === refusing ? 'refusing' : 'silent')

test('close within a listener of the first state takes effect', async () => {
  const setup = new FlakySetup({ a: 'good' })
  setup.client.events.on('state', ({ state }) => void (state === 'connecting' && setup.client.close()))
  await expect(setup.client.connect()).rejects.toMatchObject({ code: 'ERR_DERP_CLIENT_CLOSED' })
  await setup.pass(1_000)
  expect(setup.dials).toEqual([])
})

test('a listener that throws does not stop the client', async () => {
  const setup = new FlakySetup({ a: 'good' })
  setup.client.events.on('state', () => {
    throw new Error('listener is broken')
  })
  setup.receive()
  await connected(setup)
  setup.conns.at(-1)?.destroy()
  await setup.pass(1_000)
  expect(setup.client.state).toBe('connected')
})

test('a factory that throws counts as a failed target', async () => {
  let calls = 0
  const setup: FlakySetup = new FlakySetup(
    { a: 'good', b: 'good' },
    {
      createClient: node => {
        if (node === 'a' && ++calls < 3) throw new Error('no client')
        return setup.createClient(node, NodePrivateKey.generate())
      },
    },
  )
  setup.receive()
  await connected(setup)
  expect(setup.states).toEqual(['connecting/started@a', 'connecting/failed@b', 'connected/accepted@b'])
})

test('one target that is not in a list is refused, and a factory that throws is quoted', async () => {
  const createClient = (url: string) => new Client(NodePrivateKey.generate(), url)
  const targets = 'https://relay.test/derp' as unknown as string[]
  expect(() => new ResilientClient({ targets, createClient })).toThrow(
    new TypeError('set targets: targets is a string, not an array'),
  )
  const client = new ResilientClient({ targets: ['relay.test'], createClient, sendWaitMs: 0 })
  const { promise, resolve } = Promise.withResolvers<StateEvent>()
  client.events.on('state', event => event.error && resolve(event))
  client.connect().catch(() => {})
  expect((await promise).error?.message).toBe(
    'make client for relay.test: read relay URL "relay.test": not a URL such as https://relay.example/derp',
  )
  await client.close()
})

test('targets can be replaced: a connection to a remaining target stays, others are re-established', async () => {
  const setup = new FlakySetup({ a: 'good', b: 'good', c: 'good' })
  setup.receive()
  await connected(setup)
  setup.client.replaceTargets(['b', 'a'])
  await setup.pass(1_000)
  expect(setup.dials).toHaveLength(1)
  setup.client.replaceTargets(['c'])
  await setup.pass(1_000)
  expect(setup.states.slice(2)).toEqual(['connecting/targetsReplaced@c', 'connected/accepted@c'])
  setup.client.replaceTargets([])
  await setup.pass(600_000, 10_000)
  expect(setup.states.slice(4)).toEqual(['waiting/noTarget@'])
  expect(setup.relay.core.sessions.size).toBe(0)
  setup.client.replaceTargets(['a'])
  await setup.pass(1_000)
  expect(setup.client.state).toBe('connected')
})

test('new targets end the wait for old ones', async () => {
  const setup = new FlakySetup({ a: refusing, b: 'good' }, { targets: ['a'] })
  setup.receive()
  await setup.pass(60_000)
  expect(setup.client.state).toBe('waiting')
  setup.client.replaceTargets(['a', 'b'])
  await connected(setup)
  expect(setup.states.at(-1)).toBe('connected/accepted@b')
})

test('the process stays alive while the client waits for the next attempt', async () => {
  const setup = new FlakySetup({ a: refusing })
  const held: boolean[] = []
  const after = setup.clock.after.bind(setup.clock)
  Object.assign(setup.clock, {
    after: (delayMs: number, fn: () => void, holdsProcess = false) => {
      held.push(holdsProcess)
      return after(delayMs, fn)
    },
  })
  setup.receive()
  await until(() => setup.client.state === 'waiting', 'the attempt has failed')
  expect(held.at(-1)).toBe(true)
})
