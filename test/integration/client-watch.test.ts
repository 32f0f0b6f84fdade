/** The watch loop of a client, across reconnects. */

import { expect, test } from 'vitest'
import type { ClientOptions } from '../../src/client/options.ts'
import { watchConnections } from '../../src/client/watch-connections.ts'
import type { WatchLoopOptions } from '../../src/client/watch-loop.ts'
import { MeshKey } from '../../src/keys/mesh-key.ts'
import { NodePrivateKey, type NodePublicKey } from '../../src/keys/node-key.ts'
import { type LogFields, silentLog } from '../../src/lib/log.ts'
import { PeerGoneReason } from '../../src/protocol/messages.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { MemoryTransport, TestRelay } from '../support/relay.ts'
import { settle, until } from '../support/settle.ts'

const MESH_KEY = MeshKey.parse('ab'.repeat(32))

/** A watcher of a relay, and its events: `+name` and `-name/reason`. */
function setUp(
  options: Partial<ClientOptions> & { loop?: Partial<WatchLoopOptions>; relay?: TestRelay; start?: boolean } = {},
) {
  const clock = new FakeClock()
  const relay = options.relay ?? new TestRelay({ meshKey: MESH_KEY })
  const watcher = relay.client({ meshKey: MESH_KEY, clock, ...options })
  const controller = new AbortController()
  const told: string[] = []
  const name = (key: NodePublicKey) => (key.equals(watcher.selfPublicKey()) ? 'self' : key.shortString())
  const start = () =>
    watchConnections(watcher, {
      add: ({ peer }) => told.push(`+${name(peer)}`),
      remove: ({ peer, reason }) => told.push(`-${name(peer)}/${reason}`),
      signal: controller.signal,
      ...options.loop,
    })
  /** Events since the last call, sorted, as the relay's order is unspecified. */
  const news = async (count: number) => {
    await until(() => told.length >= count, `${count} changes are told`)
    return told.splice(0).sort()
  }
  return { clock, relay, watcher, controller, told, start, news }
}

const short = (client: { selfPublicKey(): NodePublicKey }) => client.selfPublicKey().shortString()

test('runWatchConnectionLoop reports present, new and departed clients until its signal (P-070, P-215)', async () => {
  const { clock, relay, controller, start, news, told } = setUp()
  const first = await relay.readyClient()
  const watching = start()
  expect(await news(2)).toEqual([`+${short(first)}`, '+self'].sort())
  const second = await relay.readyClient()
  expect(await news(1)).toEqual([`+${short(second)}`])
  await first.close()
  expect(await news(1)).toEqual([`-${short(first)}/${PeerGoneReason.Disconnected}`])
  controller.abort()
  await watching
  expect(await news(2)).toEqual(
    [`-${short(second)}/${PeerGoneReason.MeshConnBroke}`, `-self/${PeerGoneReason.MeshConnBroke}`].sort(),
  )
  await second.close()
  await settle()
  expect(told).toEqual([])
  expect(clock.pendingTimers).toBe(1)
})

test('a lost connection removes all peers; 5 s later they are reported again (P-215, P-216)', async () => {
  const { clock, relay, watcher, start, news, told } = setUp()
  const peer = await relay.readyClient()
  const watching = start()
  await news(2)
  for (const session of relay.core.sessions) if (session.key.equals(watcher.selfPublicKey())) session.close()
  expect(await news(2)).toEqual(['-self/240', `-${short(peer)}/240`].sort())
  clock.advance(4_999)
  await settle()
  expect(relay.core.counters.accepts).toBe(2)
  clock.advance(1)
  expect(await news(2)).toEqual(['+self', `+${short(peer)}`].sort())
  await watcher.close()
  await watching
  expect(told.sort()).toEqual(['-self/240', `-${short(peer)}/240`].sort())
  expect(clock.pendingTimers).toBe(0)
})

test('a connection made by another call is followed (P-215)', async () => {
  const { clock, relay, watcher, start, news } = setUp()
  const peer = await relay.readyClient()
  const watching = start()
  await news(2)
  for (const session of relay.core.sessions) if (session.key.equals(watcher.selfPublicKey())) session.close()
  await news(2)
  await watcher.connect()
  clock.advance(5_000)
  expect(await news(2)).toEqual(['+self', `+${short(peer)}`].sort())
  expect(relay.core.counters.accepts).toBe(3)
  await watcher.close()
  await watching
})

test('an unreachable relay is retried every 5 s (P-215)', async () => {
  const relay = new TestRelay({ meshKey: MESH_KEY })
  let dials = 0
  const transport = {
    dial: async () => {
      if (++dials <= 3) throw new Error('no route')
      return { conn: relay.connect() }
    },
  }
  const { clock, watcher, start, news } = setUp({ relay, transport })
  const watching = start()
  for (let failures = 1; failures <= 3; failures++) {
    await until(() => dials === failures, 'the relay was dialled')
    await settle()
    clock.advance(4_999)
    await settle()
    expect(dials).toBe(failures)
    clock.advance(1)
  }
  expect(await news(1)).toEqual(['+self'])
  await watcher.close()
  await watching
})

test('a relay that rejects the mesh key is retried every 5 s, and no peers are reported (P-074, P-215)', async () => {
  const transport = new MemoryTransport(() => relay.connect())
  const { clock, relay, controller, told, start } = setUp({ meshKey: undefined, transport })
  const watching = start()
  for (let dials = 1; dials <= 3; dials++) {
    await until(() => transport.conns.length === dials && relay.core.sessions.size === 0, 'the relay has closed')
    await settle()
    clock.advance(5_000)
  }
  controller.abort()
  await watching
  expect(told).toEqual([])
})

test('a connection to the relay itself ends the loop (P-217)', async () => {
  const relay = new TestRelay({ meshKey: MESH_KEY })
  const { clock, watcher, told, start } = setUp({ relay, loop: { ignoreServerKey: relay.core.publicKey } })
  await start()
  expect(told).toEqual([])
  await watcher.close()
  expect(clock.pendingTimers).toBe(0)
})

test('so does a later connection to the relay itself (P-217)', async () => {
  const [other, own] = [new TestRelay({ meshKey: MESH_KEY }), new TestRelay({ meshKey: MESH_KEY })]
  const relays = [other, own]
  const transport = new MemoryTransport(() => (relays.shift() ?? own).connect())
  const loop = { ignoreServerKey: own.core.publicKey }
  const { clock, start, news } = setUp({ relay: other, transport, loop })
  const watching = start()
  expect(await news(1)).toEqual(['+self'])
  other.core.close()
  expect(await news(1)).toEqual(['-self/240'])
  clock.advance(5_000)
  await watching
  expect(own.core.counters.accepts).toBe(1)
})

test('runWatchConnectionLoop on a connected client without watchConnectionChanges rejects with a TypeError', async () => {
  const { watcher, start } = setUp()
  await watcher.connect()
  await expect(start()).rejects.toThrow(TypeError)
  await watcher.close()
})

test('runWatchConnectionLoop can start late on a client that already watches (P-210, P-215)', async () => {
  const { watcher, start, news } = setUp({ watchConnectionChanges: true })
  await watcher.connect()
  const watching = start()
  expect(await news(1)).toEqual(['+self'])
  await watcher.close()
  await watching
})

test('an already aborted signal prevents the connection; an abort while waiting ends immediately (P-215)', async () => {
  const { relay, controller, start } = setUp()
  controller.abort()
  await start()
  expect(relay.core.counters.accepts).toBe(0)
  const waiting = setUp({ transport: { dial: async () => Promise.reject(new Error('no route')) } })
  const watching = waiting.start()
  await settle()
  waiting.controller.abort()
  await watching
  expect(waiting.clock.pendingTimers).toBe(0)
})

test('closing the client while the loop waits ends it immediately (P-209, P-215)', async () => {
  const { clock, watcher, start } = setUp({ transport: { dial: async () => Promise.reject(new Error('no route')) } })
  const watching = start()
  await settle()
  await watcher.close()
  await watching
  expect(clock.pendingTimers).toBe(0)
})

test('an exception of a callback ends the loop', async () => {
  const error = new Error('callback is broken')
  const add = () => {
    throw error
  }
  const { clock, watcher, start } = setUp({ loop: { add } })
  await expect(start()).rejects.toBe(error)
  await watcher.close()
  expect(clock.pendingTimers).toBe(0)
})

test('infoLog is called once when all peers are known, and then at most every 10 s (P-215)', async () => {
  const lines: [string, LogFields | undefined][] = []
  const infoLog = { ...silentLog, info: (message: string, fields?: LogFields) => lines.push([message, fields]) }
  const { clock, relay, watcher, start, news } = setUp({ loop: { infoLog } })
  await relay.readyClient()
  const watching = start()
  await news(2)
  clock.advance(199)
  expect(lines).toEqual([])
  clock.advance(1)
  expect(lines).toEqual([['watching connections', { peers: 2 }]])
  await relay.readyClient()
  await news(1)
  clock.advance(9_801)
  await relay.readyClient()
  await news(1)
  await relay.readyClient()
  await news(1)
  expect(lines.slice(1)).toEqual([['peers connected', { peers: 4 }]])
  await watcher.close()
  await watching
})

test('infoLog is called after 2 s without peers (P-215)', async () => {
  const lines: unknown[] = []
  const infoLog = { ...silentLog, info: (message: string, fields?: LogFields) => lines.push([message, fields]) }
  const { clock, watcher, start } = setUp({
    transport: { dial: () => Promise.withResolvers<never>().promise },
    loop: { infoLog },
  })
  const watching = start()
  clock.advance(1_999)
  expect(lines).toEqual([])
  clock.advance(1)
  expect(lines).toEqual([['watching connections', { peers: 0 }]])
  await watcher.close()
  await watching
})

test('peers of a flood are distinguished by key', async () => {
  const { watcher, relay, start, news } = setUp()
  const keys = Array.from({ length: 50 }, () => NodePrivateKey.generate())
  for (const privateKey of keys) await relay.readyClient({ privateKey })
  const watching = start()
  expect(new Set(await news(51)).size).toBe(51)
  await watcher.close()
  await watching
  expect(new Set(await news(51)).size).toBe(51)
})
