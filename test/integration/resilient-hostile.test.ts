/** A resilient client never spins, whatever a relay, network or listener does: its work is counted. */

import { expect, test } from 'vitest'
import { UpgradeRefusedError } from '../../src/client/dial/upgrade-response.ts'
import type { NetworkChange } from '../../src/client/ports.ts'
import { DEFAULTS } from '../../src/client/resilient/resilient-options.ts'
import { encodeFrame } from '../../src/protocol/encode.ts'
import { FrameType } from '../../src/protocol/frame-type.ts'
import {
  type Behaviour,
  denying,
  FlakySetup,
  goodRelay,
  hangingUp,
  refusing,
  scripted,
  silent,
} from '../support/flaky-nodes.ts'
import type { ScriptedRelay } from '../support/scripted-relay.ts'
import { settle } from '../support/settle.ts'

const MINUTE_MS = 60_000

/** The maximum of dials in any minute. */
function mostPerMinute({ dials }: Pick<FlakySetup, 'dials'>): number {
  return Math.max(...dials.map(({ atMs }) => dials.filter(d => d.atMs >= atMs && d.atMs < atMs + MINUTE_MS).length))
}

/** Dials of the last ten minutes of an hour, by minute. */
function lastPerMinute({ dials, clock }: FlakySetup): number {
  return dials.filter(({ atMs }) => atMs > clock.now() - 10 * MINUTE_MS).length / 10
}

const BAD: Record<string, Behaviour> = {
  'refuses connections': refusing,
  'never answers': silent,
  'closes at once': scripted(relay => relay.conn.destroy(), { login: false }),
  'closes after ClientInfo': denying,
  'closes after ServerInfo': hangingUp(),
  'sends a packet, then closes': scripted(async relay => {
    relay.say({ type: 'receivedPacket', source: relay.privateKey.publicKey(), data: Uint8Array.of(1) })
    await settle()
    relay.conn.end()
  }),
  'sends pongs that nobody asked for, then closes': hangingUp({ type: 'pong', payload: new Uint8Array(8) }),
  'announces a restart at once, for ever': hangingUp({ type: 'serverRestarting', reconnectInMs: 0, tryForMs: 1e9 }),
  'takes a duplicate back and closes': hangingUp(
    { type: 'health', problem: 'duplicate' },
    { type: 'health', problem: '' },
  ),
  'greets with another protocol': scripted(relay => relay.send(encodeFrame(FrameType.KeepAlive)), { login: false }),
  'seals ServerInfo wrongly': scripted(
    async relay => {
      relay.greet()
      await relay.hello()
      relay.send(encodeFrame(FrameType.ServerInfo, new Uint8Array(100)))
    },
    { login: false },
  ),
  'refuses upgrades': () => {
    throw new UpgradeRefusedError(503, 'busy')
  },
  'takes turns in failing': (() => {
    const turns = [refusing, denying, hangingUp(), silent]
    let turn = 0
    return () => (turns[turn++ % turns.length] as Behaviour)()
  })(),
}

test.each(Object.entries(BAD))('a relay that %s is tried at most a few times a minute', async (_what, behaviour) => {
  const setup = new FlakySetup({ a: behaviour })
  setup.receive()
  await setup.pass(2 * MINUTE_MS, 125)
  await setup.pass(58 * MINUTE_MS, 5_000)
  expect(mostPerMinute(setup)).toBeLessThanOrEqual(10)
  expect(lastPerMinute(setup)).toBeLessThanOrEqual(4)
  expect(setup.dials.length).toBeGreaterThan(10)
  setup.behave('a', 'good')
  await setup.pass(5 * MINUTE_MS, 1_000)
  expect(setup.client.state).toBe('connected')
})

test('several bad relays are tried a few times a minute each', async () => {
  const nodes = Object.fromEntries(Object.values(BAD).map((behaviour, i) => [`n${i}`, behaviour]))
  const setup = new FlakySetup(nodes)
  setup.receive()
  await setup.pass(2 * MINUTE_MS, 125)
  await setup.pass(58 * MINUTE_MS, 5_000)
  for (const node of Object.keys(nodes)) {
    const dials = setup.dials.filter(dial => dial.node === node)
    expect(mostPerMinute({ dials })).toBeLessThanOrEqual(10)
  }
})

/** A relay that answers pings; its connections can be ended. */
function answering() {
  const relays: ScriptedRelay[] = []
  const behaviour = scripted(relay => {
    relays.push(relay)
    relay.answersPings = true
  })
  return { behaviour, relay: () => relays.at(-1) as ScriptedRelay }
}

test('a relay that flaps right after each healthy sign costs one connection per healthy period', async () => {
  const { behaviour, relay } = answering()
  const setup = new FlakySetup({ a: behaviour })
  setup.receive()
  for (let passed = 0; passed < 10 * MINUTE_MS; passed += 250) {
    await setup.pass(250)
    if (relay().frames.some(({ type }) => type === 'ping')) relay().conn.end()
  }
  expect(mostPerMinute(setup)).toBeLessThanOrEqual(MINUTE_MS / DEFAULTS.healthyAfterMs + 1)
  expect(setup.states).toContain('waiting/lost@a')
})

test('a relay that announces a restart after each healthy sign is not tried more often (P-093)', async () => {
  const { behaviour, relay } = answering()
  const setup = new FlakySetup({ a: behaviour })
  setup.receive()
  for (let passed = 0; passed < 10 * MINUTE_MS; passed += 250) {
    await setup.pass(250)
    if (setup.client.state !== 'connected' || !relay().frames.some(({ type }) => type === 'ping')) continue
    relay().say({ type: 'serverRestarting', reconnectInMs: 0, tryForMs: 0xffffffff })
    relay().conn.end()
    // While it is down, attempts fail; they are not counted as failures, but must still be paced.
    setup.behave('a', refusing)
    await setup.pass(20_000, 125)
    setup.behave('a', behaviour)
  }
  expect(mostPerMinute(setup)).toBeLessThanOrEqual(20)
})

test('a flapping network causes checks and reconnects at a bounded rate', async () => {
  let change: (change: NetworkChange) => void = () => {}
  const netMon = {
    subscribe: (listener: typeof change) => {
      change = listener
      return () => {}
    },
  }
  const setup = new FlakySetup({ a: 'good' }, { netMon })
  setup.receive()
  for (let passed = 0; passed < 10 * MINUTE_MS; passed += 100) {
    change({ addresses: ['198.51.100.1'] })
    await setup.pass(100, 100)
  }
  expect(mostPerMinute(setup)).toBeLessThanOrEqual(20)
  const down = new FlakySetup({ a: refusing }, { netMon })
  down.receive()
  for (let passed = 0; passed < 10 * MINUTE_MS; passed += 100) {
    change({})
    await down.pass(100, 100)
  }
  expect(mostPerMinute(down)).toBeLessThanOrEqual(20)
})

test('a storm of health, peers and pings costs no connection and no timers', async () => {
  const storm = scripted(async relay => {
    for (let i = 0; i < 2_000; i++) {
      relay.say(
        { type: 'health', problem: `problem ${i}` },
        { type: 'ping', payload: new Uint8Array(8).fill(i) },
        { type: 'peerGone', peer: relay.privateKey.publicKey(), reason: i % 256 },
      )
      if (i % 100 === 0) relay.send(relay.serverInfo({ tokenBucketBytesPerSecond: i, tokenBucketBytesBurst: i }))
    }
  })
  const setup = new FlakySetup({ a: storm })
  let events = 0
  setup.client.events.on('health', () => events++)
  const { messages } = setup.receive()
  await setup.pass(1_000)
  expect(messages).toHaveLength(1 + 3 * 2_000 + 20)
  expect(events).toBe(2_000)
  expect(setup.states).toHaveLength(2)
  // Read deadline of the connection, and the next ping.
  expect(setup.clock.pendingTimers).toBe(2)
})

test('callers that send constantly into a failing connection do not trigger dials', async () => {
  const setup = new FlakySetup({ a: hangingUp() })
  let sent = 0
  let isOver = false
  const spam = async () => {
    while (!isOver) {
      await setup.client.send(setup.relay.core.publicKey, new Uint8Array(10)).catch(() => {})
      sent++
      await settle(1)
    }
  }
  const spamming = [spam(), spam(), spam()]
  await setup.pass(10 * MINUTE_MS, 250)
  isOver = true
  await setup.client.close()
  await Promise.all(spamming)
  expect(sent).toBeGreaterThan(100)
  expect(mostPerMinute(setup)).toBeLessThanOrEqual(10)
})

test('a client that has failed for a day is connected within half a minute of the relay’s recovery', async () => {
  const setup = new FlakySetup({ a: refusing })
  setup.receive()
  await setup.pass(24 * 60 * MINUTE_MS, 30_000)
  setup.behave('a', goodRelay(setup.relay))
  await setup.pass(30_000, 500)
  expect(setup.client.state).toBe('connected')
})
