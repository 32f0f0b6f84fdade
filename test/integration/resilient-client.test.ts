/** State sequences of the resilient client. */

import { expect, test } from 'vitest'
import { UpgradeRefusedError } from '../../src/client/dial/upgrade-response.ts'
import { NodePrivateKey } from '../../src/keys/node-key.ts'
import { denying, FlakySetup, goodRelay, hangingUp, refusing, scripted, silent } from '../support/flaky-nodes.ts'
import { nextMessage, TestRelay } from '../support/relay.ts'
import { settle, until } from '../support/settle.ts'

const BYTES = Uint8Array.of(1, 2, 3)

const connected = (setup: FlakySetup) => until(() => setup.client.state === 'connected', 'the client is connected')

/** Advances time until `condition` holds, at most ten minutes. */
async function passUntil(setup: FlakySetup, condition: () => boolean): Promise<void> {
  for (let i = 0; i < 2_400 && !condition(); i++) await setup.pass(250)
  expect(condition()).toBe(true)
}

test('ResilientClient opens nothing before it is used', async () => {
  const setup = new FlakySetup({ a: 'good' })
  await setup.pass(60_000)
  expect(setup.client.state).toBe('idle')
  expect(setup.dials).toEqual([])
  await setup.client.connect()
  expect(setup.client.state).toBe('connected')
  expect(setup.states).toEqual(['connecting/started@a', 'connected/accepted@a'])
  expect(String(setup.client.serverPublicKey())).toBe(String(setup.relay.core.publicKey))
})

test('ResilientClient is connected only once the relay has admitted it (P-036)', async () => {
  const letIn = Promise.withResolvers<void>()
  const slow = scripted(
    async relay => {
      relay.greet()
      await relay.hello()
      await letIn.promise
      relay.send(relay.serverInfo())
    },
    { login: false },
  )
  const setup = new FlakySetup({ a: slow })
  const connecting = setup.client.connect()
  await settle(10)
  expect(setup.client.state).toBe('connecting')
  letIn.resolve()
  await connecting
  expect(setup.client.state).toBe('connected')
})

test('send, recv and for await work across connections', async () => {
  const setup = new FlakySetup({ a: 'good' })
  const peer = await setup.relay.readyClient()
  await setup.client.send(peer.selfPublicKey(), BYTES)
  const { source } = await nextMessage(peer, 'receivedPacket')
  for (let generation = 1; generation <= 3; generation++) {
    await peer.send(source, Uint8Array.of(generation))
    for await (const message of setup.client) {
      if (message.type !== 'receivedPacket') continue
      expect(message.data).toEqual(Uint8Array.of(generation))
      break
    }
    setup.conns.at(-1)?.destroy()
    const received = setup.client.recvDetail()
    await setup.pass(20_000)
    expect(await received).toEqual({
      message: expect.objectContaining({ type: 'serverInfo' }),
      connectionGeneration: generation + 1,
    })
  }
})

test('a server is killed and restarted: lost, failing with growing delays, connected', async () => {
  const setup = new FlakySetup({ a: 'good' })
  setup.receive()
  await connected(setup)
  await setup.pass(15_000)
  setup.takeStates()
  setup.behave('a', refusing)
  setup.relay.core.close()
  await setup.pass(2_000, 25)
  const again = new TestRelay({ clock: setup.clock })
  setup.behave('a', goodRelay(again))
  await setup.pass(5_000, 25)
  expect(setup.takeStates()).toEqual([
    'waiting/lost@a',
    'connecting/lost@a',
    ...[1, 2, 3, 4].flatMap(() => ['waiting/failed@a', 'connecting/failed@a']),
    'connected/accepted@a',
  ])
  const gaps = setup.dials.slice(1).map(({ atMs }, i) => atMs - (setup.dials[i]?.atMs ?? 0))
  expect(gaps.slice(1)).toEqual([250, 500, 1_000, 2_000])
})

test('earlier failures are forgotten only after the connection was healthy for a while', async () => {
  const setup = new FlakySetup({ a: refusing })
  setup.receive()
  await setup.pass(5_000, 125)
  setup.behave('a', 'good')
  await passUntil(setup, () => setup.client.state === 'connected')
  const delays: (number | undefined)[] = []
  setup.client.events.on('state', ({ delayMs }) => delays.push(delayMs))
  setup.conns.at(-1)?.destroy()
  await settle()
  expect(delays).toEqual([8_000])
  await passUntil(setup, () => setup.client.state === 'connected')
  await setup.pass(11_000)
  setup.conns.at(-1)?.destroy()
  await settle()
  expect(delays.at(-1)).toBe(125)
})

test('a half-open connection is detected by an unanswered ping, in bounded time (P-091)', async () => {
  const setup = new FlakySetup({ a: 'good' })
  setup.receive()
  await connected(setup)
  await setup.pass(41_000)
  setup.takeStates()
  setup.mute()
  const mutedAtMs = setup.clock.now()
  await passUntil(setup, () => setup.client.state !== 'connected')
  // A ping after 30 s without a message, and 10 s for its Pong.
  expect(setup.clock.now() - mutedAtMs).toBeLessThanOrEqual(40_000)
  await setup.pass(1_000)
  expect(setup.takeStates()).toEqual(['waiting/unanswered@a', 'connecting/unanswered@a', 'connected/accepted@a'])
})

test('one dead node of two: the next one is tried immediately, and kept', async () => {
  const setup = new FlakySetup({ a: refusing, b: 'good' })
  setup.receive()
  await connected(setup)
  expect(setup.clock.now()).toBe(0)
  expect(setup.states).toEqual(['connecting/started@a', 'connecting/failed@b', 'connected/accepted@b'])
  setup.behave('a', 'good')
  await setup.pass(600_000, 1_000)
  expect(setup.client.state).toBe('connected')
  expect(setup.dials).toHaveLength(2)
})

test('a lost healthy connection is re-established at the same node, and elsewhere if that fails', async () => {
  const setup = new FlakySetup({ a: 'good', b: 'good' })
  setup.receive()
  await connected(setup)
  await setup.pass(15_000)
  setup.conns.at(-1)?.destroy()
  await setup.pass(500)
  setup.behave('a', refusing)
  await setup.pass(15_000)
  setup.conns.at(-1)?.destroy()
  await setup.pass(500)
  expect(setup.states).toEqual([
    'connecting/started@a',
    'connected/accepted@a',
    'waiting/lost@a',
    'connecting/lost@a',
    'connected/accepted@a',
    'waiting/lost@a',
    'connecting/lost@a',
    'connecting/failed@b',
    'connected/accepted@b',
  ])
})

test('an unresponsive node is replaced by the next immediately', async () => {
  const setup = new FlakySetup({ a: 'good', b: 'good' })
  setup.receive()
  await connected(setup)
  await setup.pass(15_000)
  setup.mute()
  await setup.pass(60_000)
  expect(setup.states.slice(2)).toEqual(['connecting/unanswered@b', 'connected/accepted@b'])
})

test('a server that never responds is abandoned by the client’s timeout, and retried later (P-202)', async () => {
  const setup = new FlakySetup({ a: silent })
  setup.receive()
  await setup.pass(9_999)
  expect(setup.states).toEqual(['connecting/started@a'])
  await setup.pass(1)
  expect(setup.takeStates()).toEqual(['connecting/started@a', 'waiting/failed@a'])
  await setup.pass(600_000, 1_000)
  expect(new Set(setup.takeStates())).toEqual(new Set(['connecting/failed@a', 'waiting/failed@a']))
  expect(setup.dials.length).toBeLessThan(6 + 600 / (10 + 15))
})

test('a relay that never admits the client is abandoned by the watchdog', async () => {
  const greets = scripted(relay => relay.greet(), { login: false })
  const setup = new FlakySetup({ a: greets })
  const errors: unknown[] = []
  setup.client.events.on('state', ({ error }) => errors.push(error?.code))
  setup.receive()
  await setup.pass(14_999)
  expect(setup.states).toEqual(['connecting/started@a'])
  await setup.pass(1)
  expect(setup.states).toEqual(['connecting/started@a', 'waiting/failed@a'])
  expect(errors).toEqual([undefined, 'ERR_DERP_LOGIN_TIMEOUT'])
})

test('Restarting is honoured: reconnects after the delay, within the time, at the same node (P-093)', async () => {
  const setup = new FlakySetup({ a: 'good', b: 'good' })
  setup.receive()
  await connected(setup)
  await setup.pass(15_000)
  setup.takeStates()
  const draining = setup.relay.core.drain({ spreadMs: 0, tryForMs: 10_000 })
  setup.behave('a', refusing)
  await setup.pass(3_000, 50)
  await draining
  setup.behave('a', goodRelay(new TestRelay({ clock: setup.clock })))
  await setup.pass(5_000, 50)
  const states = setup.takeStates()
  expect(states.at(-1)).toBe('connected/accepted@a')
  expect(new Set(states.slice(0, -1))).toEqual(new Set(['waiting/restarting@a', 'connecting/restarting@a']))
})

/** A relay that serves for a while, announces a restart, and closes. */
const restarts = (reconnectInMs: number, tryForMs: number) => {
  let live: { readonly end: () => void } | undefined
  const behaviour = scripted(relay => {
    live = {
      end: () => {
        relay.say({ type: 'serverRestarting', reconnectInMs, tryForMs })
        relay.conn.end()
      },
    }
    relay.answersPings = true
  })
  return { behaviour, end: () => live?.end() }
}

test('Restarting sets the delay; after its time, the loss is an ordinary one (P-093)', async () => {
  const { behaviour, end } = restarts(4_000, 3_000)
  const setup = new FlakySetup({ a: behaviour, b: 'good' })
  setup.receive()
  await connected(setup)
  await setup.pass(15_000)
  const endedAtMs = setup.clock.now()
  setup.takeStates()
  setup.behave('a', refusing)
  end()
  await setup.pass(20_000, 50)
  const back = setup.dials.filter(({ node, atMs }) => node === 'a' && atMs > endedAtMs)
  expect((back[0]?.atMs ?? 0) - endedAtMs).toBe(4_000)
  const states = setup.takeStates()
  expect(states[0]).toBe('waiting/restarting@a')
  expect(states.slice(-2)).toEqual(['connecting/failed@b', 'connected/accepted@b'])
  expect(setup.dials.at(-1)?.atMs).toBeLessThan(endedAtMs + 4_000 + 3_000 + 1)
})

test('Restarting cannot delay a client for days (P-093)', async () => {
  const { behaviour, end } = restarts(0xffffffff, 0xffffffff)
  const setup = new FlakySetup({ a: behaviour })
  setup.receive()
  await connected(setup)
  await setup.pass(15_000)
  end()
  await setup.pass(121_000, 1_000)
  expect(setup.client.state).toBe('connected')
})

test('a relay that closes three logins in a row is retried only after minutes', async () => {
  const setup = new FlakySetup({ a: denying })
  setup.receive()
  await setup.pass(5_000, 50)
  expect(setup.takeStates()).toEqual([
    'connecting/started@a',
    'waiting/failed@a',
    'connecting/failed@a',
    'waiting/failed@a',
    'connecting/failed@a',
    'waiting/denied@a',
  ])
  const begunMs = setup.clock.now()
  await setup.pass(3_600_000, 5_000)
  const gaps = setup.dials.slice(3).map(({ atMs }, i) => atMs - (setup.dials[i + 2]?.atMs ?? 0))
  for (const gap of gaps) expect(gap).toBeGreaterThanOrEqual(60_000)
  expect(setup.dials.filter(({ atMs }) => atMs > begunMs).length).toBeLessThan(2 + 3_600 / 150)
  setup.behave('a', 'good')
  await setup.pass(300_000, 5_000)
  expect(setup.client.state).toBe('connected')
})

test.each([401, 403])('an upgrade refused with %i is retried only after minutes', async status => {
  const setup = new FlakySetup({
    a: () => {
      throw new UpgradeRefusedError(status, 'no')
    },
  })
  setup.receive()
  await setup.pass(59_000, 1_000)
  expect(setup.states).toEqual(['connecting/started@a', 'waiting/denied@a'])
  await setup.pass(61_000, 1_000)
  expect(setup.states.slice(2)).toEqual(['connecting/denied@a', 'waiting/denied@a'])
})

test('a denial by one node does not block the next', async () => {
  const setup = new FlakySetup({
    a: () => {
      throw new UpgradeRefusedError(403, 'no')
    },
    b: 'good',
  })
  setup.receive()
  await connected(setup)
  expect(setup.states).toEqual(['connecting/started@a', 'connecting/denied@b', 'connected/accepted@b'])
})

test('an occasional closed login is not a denial', async () => {
  let logins = 0
  const setup = new FlakySetup({ a: refusing })
  setup.behave('a', () => (++logins % 2 === 0 ? denying() : hangingUp()()))
  setup.receive()
  await setup.pass(300_000, 1_000)
  expect(setup.states.join()).not.toContain('denied')
})

test('a key that is connected twice slows down instead of racing, and is reported (P-065, P-092)', async () => {
  const problem = 'Another endpoint connected with the same key.'
  const setup = new FlakySetup({ a: hangingUp({ type: 'health', problem }), b: 'good' })
  const health: unknown[] = []
  setup.client.events.on('health', event => health.push(event))
  setup.receive()
  await setup.pass(29_000, 1_000)
  expect(setup.states).toEqual(['connecting/started@a', 'connected/accepted@a', 'waiting/duplicate@a'])
  expect(health).toEqual([{ problem, isDuplicate: true, node: 'a' }])
  await setup.pass(600_000, 1_000)
  expect(setup.dials.length).toBeLessThan(2 + 600 / 30)
})

test('our relay’s Health of a duplicate is recognised; a past one does not slow down (P-092)', async () => {
  const relay = new TestRelay({ tellHealth: true })
  const privateKey = NodePrivateKey.generate()
  const setup = new FlakySetup({ a: goodRelay(relay) }, { privateKey })
  const health: boolean[] = []
  setup.client.events.on('health', ({ isDuplicate }) => health.push(isDuplicate))
  setup.receive()
  await connected(setup)
  const other = await relay.readyClient({ privateKey })
  await settle()
  await other.close()
  await settle()
  expect(health).toEqual([true, false])
  setup.conns.at(-1)?.destroy()
  await setup.pass(1_000)
  expect(setup.states).toContain('waiting/lost@a')
  expect(setup.client.state).toBe('connected')
})

test('departed peers are also reported as events (P-060)', async () => {
  const setup = new FlakySetup({ a: 'good' })
  const gone: unknown[] = []
  setup.client.events.on('peerGone', event => gone.push(event))
  const peer = await setup.relay.readyClient()
  setup.receive()
  await setup.client.connect()
  const [session] = setup.relay.core.sessions
  await setup.client.send(peer.selfPublicKey(), BYTES)
  const { source } = await nextMessage(peer, 'receivedPacket')
  await peer.send(source, BYTES)
  await settle()
  await peer.close()
  await until(() => gone.length > 0, 'the peer’s close was reported')
  expect(gone).toEqual([{ peer: session?.key, reason: 0, node: 'a' }])
})
