/** The life of one session: its timers, limits, faults and end. */

import { expect, test } from 'vitest'
import { MeshKey } from '../../src/keys/mesh-key.ts'
import { NodePrivateKey } from '../../src/keys/node-key.ts'
import { DerpError } from '../../src/lib/derp-error.ts'
import { encodeClientToServer, encodeFrame } from '../../src/protocol/encode.ts'
import { FrameType } from '../../src/protocol/frame-type.ts'
import type { RelayCoreOptions } from '../../src/server/options.ts'
import type { Session } from '../../src/server/session.ts'
import type { Conn, ConnHandler } from '../../src/transport/conn.ts'
import { memoryConnPair } from '../../src/transport/memory-conn.ts'
import { addBrokenLink } from '../support/broken-link.ts'
import { MemoryRelay } from '../support/memory-relay.ts'
import { type LoginOptions, RawClient } from '../support/raw-client.ts'
import { settle, until } from '../support/settle.ts'

const MESH_KEY = '7e'.repeat(32)
/** One frame of this body is charged 1000 bytes; the smallest burst lets 65 of them through. */
const BODY = new Uint8Array(1_000)
const LIMIT = { bytesPerSecond: 1_000, burstBytes: 0 }
const unknownFrames = (count: number) => Array.from({ length: count }, () => encodeFrame(0xee as FrameType, BODY))

function sessionOf(relay: MemoryRelay, client: RawClient): Session {
  for (const session of relay.core.sessions) if (session.key.equals(client.publicKey)) return session
  throw new Error('find session: none with this key')
}

/** A client with direct access to the connection's handler, to simulate the platform. */
async function loginOver(
  relay: MemoryRelay,
  options: LoginOptions = {},
): Promise<{ client: RawClient; handler: () => ConnHandler }> {
  const [near, far] = memoryConnPair()
  let handler: ConnHandler | undefined
  const conn: Conn = {
    remote: undefined,
    local: undefined,
    open: next => {
      handler = next
      far.open(next)
    },
    pause: () => far.pause(),
    resume: () => far.resume(),
    write: (chunks, done) => far.write(chunks, done),
    destroy: () => far.destroy(),
    end: () => far.end(),
  }
  relay.core.accept(conn)
  const client = await RawClient.login(near, options)
  return {
    client,
    handler: () => {
      if (handler === undefined) throw new Error('find handler of connection: none')
      return handler
    },
  }
}

test('Session records the fault that ends its connection, with its cause', async () => {
  const relay = new MemoryRelay()
  const { handler } = await loginOver(relay)
  const reasons: string[] = []
  relay.core.events.on('connectionFailed', ({ reason }) => reasons.push(reason))
  handler().onClose(new Error('connection reset'))
  handler().onClose(new Error('again'))
  expect(reasons).toEqual(['read from client: connection reset'])
  expect(relay.core.counters).toMatchObject({ currentConnections: 0, failures: { ERR_DERP_CONN_CLOSED: 1 } })
})

test('Session records its first fault only', async () => {
  const relay = new MemoryRelay()
  const session = sessionOf(relay, await relay.login())
  for (const code of ['ERR_DERP_WRITE_TIMEOUT', 'ERR_DERP_WRITE_FAILED'] as const) {
    session.fail(new DerpError(code, 'write to client: failed'))
  }
  expect(relay.core.counters.failures).toEqual({ ERR_DERP_WRITE_TIMEOUT: 1 })
})

test('a closed Session ignores data that the platform still delivers', async () => {
  const relay = new MemoryRelay()
  const { client, handler } = await loginOver(relay)
  const session = sessionOf(relay, client)
  const before = session.tally.bytesReceived
  session.close()
  handler().onData(encodeFrame(FrameType.Ping, new Uint8Array(8)))
  expect([session.tally.bytesReceived - before, relay.core.counters.gotPing, session.isClosed]).toEqual([0, 0, true])
})

test('a mesh peer’s closed Session ignores packets that the platform still delivers, unless it ended in order (P-174)', async () => {
  for (const isOrderly of [false, true]) {
    const relay = new MemoryRelay({ meshKey: MeshKey.parse(MESH_KEY) })
    const { client, handler } = await loginOver(relay, { info: { meshKey: MESH_KEY } })
    const session = sessionOf(relay, client)
    if (isOrderly) session.end(() => {})
    else session.close()
    const source = NodePrivateKey.generate().publicKey()
    handler().onData(encodeClientToServer({ type: 'forwardPacket', source, destination: source, data: BODY }))
    expect([session.isClosed, relay.core.counters.packetsForwardedIn]).toEqual([true, isOrderly ? 1 : 0])
  }
})

test('a client’s ended Session ignores whatever the platform still delivers (P-174)', async () => {
  const relay = new MemoryRelay({ rateLimit: LIMIT })
  const { client, handler } = await loginOver(relay)
  sessionOf(relay, client).end(() => {})
  for (let n = 0; n < 5_000; n++) handler().onEmpty?.()
  handler().onData(encodeFrame(FrameType.Ping, new Uint8Array(7)))
  expect(relay.core.counters).toMatchObject({ gotPing: 0, rateLimitWaits: 0, failures: {} })
})

test('Session passes on errors that are not the client’s fault', async () => {
  const relay = new MemoryRelay()
  const { handler } = await loginOver(relay)
  const destination = NodePrivateKey.generate().publicKey()
  addBrokenLink(relay, destination)
  const frame = encodeClientToServer({ type: 'sendPacket', destination, data: BODY })
  expect(() => handler().onData(frame)).toThrow(TypeError)
  expect(relay.core.counters.failures).toEqual({})
})

test('Session does not count a home announced within 5 s of the login as a move (P-054)', async () => {
  const relay = new MemoryRelay()
  const client = await relay.login()
  const { counters } = relay.core
  relay.clock.advance(5_000)
  client.send({ type: 'notePreferred', preferred: true })
  await client.sync()
  expect(sessionOf(relay, client).isPreferred).toBe(true)
  expect(counters).toMatchObject({ currentHomeConnections: 1, homeMovesIn: 0, homeMovesOut: 0 })
  client.send({ type: 'notePreferred', preferred: false })
  await client.sync()
  expect(counters).toMatchObject({ currentHomeConnections: 0, homeMovesIn: 0, homeMovesOut: 0 })
  client.send({ type: 'notePreferred', preferred: true })
  await client.sync()
  const stranger = await relay.login()
  stranger.close()
  await settle()
  expect(counters.currentHomeConnections).toBe(1)
  client.close()
  await settle()
  expect(counters.currentHomeConnections).toBe(0)
})

test('Session measures moves from its own login, not from the relay’s start (P-054)', async () => {
  const relay = new MemoryRelay()
  relay.clock.advance(60_000)
  const client = await relay.login()
  client.send({ type: 'notePreferred', preferred: true })
  await client.sync()
  expect(relay.core.counters).toMatchObject({ currentHomeConnections: 1, homeMovesIn: 0 })
})

test('closing the relay leaves no write timers, even of mesh peers (P-101)', async () => {
  const relay = new MemoryRelay({ meshKey: MeshKey.parse(MESH_KEY) })
  const [slow, meshPeer] = [await relay.login(), await relay.login({ info: { meshKey: MESH_KEY } })]
  for (const client of [slow, meshPeer]) {
    client.conn.pause()
    client.packet(client.publicKey, 'not read')
    await client.flushed()
  }
  await settle()
  relay.core.close()
  expect(relay.clock.pendingTimers).toBe(0)
})

test('Session reports throttling until 10 s after the last wait (P-092, P-103)', async () => {
  const relay = new MemoryRelay({ tellHealth: true, rateLimit: LIMIT })
  const client = await relay.login()
  const { counters } = relay.core
  for (const frame of unknownFrames(67)) client.sendBytes(frame)
  await until(() => counters.rateLimitWaits === 1, 'the client is waiting')
  expect((await client.messageOf('health')).problem).toContain('faster than the relay allows')
  // 432 ms for the rest of the burst, then a second for the next frame.
  relay.clock.advance(432)
  await until(() => counters.rateLimitWaits === 2, 'the client is waiting again')
  relay.clock.advance(1_000 + 9_999)
  await settle()
  expect(client.waitingFrames).toEqual([])
  relay.clock.advance(1)
  expect(await client.message()).toEqual({ type: 'health', problem: '' })
})

test('a closed Session leaves no timers (P-090, P-091, P-092, P-103)', async () => {
  const relay = new MemoryRelay({ tellHealth: true, rateLimit: LIMIT, pingClientsMs: 1_000, writeTimeoutMs: 0 })
  const client = await relay.login({ info: { canAckPings: true } })
  for (const frame of unknownFrames(67)) client.sendBytes(frame)
  await until(() => relay.core.counters.rateLimitWaits === 1, 'the client is waiting')
  // Keep-alive and ping share one; the wait, and the end of throttling.
  expect([relay.core.timers.size, relay.clock.pendingTimers]).toEqual([2, 3])
  client.close()
  await until(() => relay.core.counters.currentConnections === 0, 'the client is gone')
  expect(relay.clock.pendingTimers).toBe(0)
})

test('Session handles a throttled frame, and is closed by it if it is invalid (P-074, P-103)', async () => {
  const relay = new MemoryRelay({ rateLimit: LIMIT })
  const client = await relay.login()
  for (const frame of unknownFrames(65)) client.sendBytes(frame)
  client.sendBytes(encodeFrame(0xee as FrameType, new Uint8Array(568)))
  client.sendBytes(encodeFrame(FrameType.ClosePeer, new Uint8Array(32)))
  await until(() => relay.core.counters.rateLimitWaits === 1, 'the client is waiting')
  expect(client.isClosed).toBe(false)
  relay.clock.advance(32)
  await client.closed()
  expect(relay.core.counters.failures).toEqual({ ERR_DERP_PERMISSION_MISSING: 1 })
})

test('a throttled Session resumes on its own (P-103)', async () => {
  const relay = new MemoryRelay({ rateLimit: LIMIT })
  const client = await relay.login()
  for (const frame of unknownFrames(66)) client.sendBytes(frame)
  await until(() => relay.core.counters.rateLimitWaits === 1, 'the client is waiting')
  relay.clock.advance(432 + 60_000)
  expect(await client.sync()).toEqual([{ type: 'keepAlive' }])
  expect(relay.core.counters.rateLimitWaits).toBe(1)
})

test('relay exposes its limit, and tells live sessions of changes (P-103)', async () => {
  const relay = new MemoryRelay({ rateLimit: LIMIT })
  expect(relay.core.rateLimit).toBe(LIMIT)
  relay.core.rateLimit = undefined
  expect(relay.core.rateLimit).toBeUndefined()
  const client = await relay.login()
  for (const frame of unknownFrames(100)) client.sendBytes(frame)
  expect(await client.sync()).toEqual([])
})

test('a throttled Session whose limit is removed handles the pending frame once (P-103)', async () => {
  const relay = new MemoryRelay({ rateLimit: LIMIT })
  const client = await relay.login()
  for (const frame of unknownFrames(65)) client.sendBytes(frame)
  client.packet(client.publicKey, BODY)
  await until(() => relay.core.counters.rateLimitWaits === 1, 'the client is waiting')
  relay.core.rateLimit = undefined
  relay.clock.advance(10_000)
  expect((await client.sync()).map(({ type }) => type)).toEqual(['receivedPacket'])
  expect(relay.core.counters.packetsReceivedOther).toBe(1)
})

test('Session pings a client that supports it at each interval, and not if disabled (P-091)', async () => {
  const options: Partial<RelayCoreOptions>[] = [{ pingClientsMs: 1_000 }, {}]
  const pings = []
  for (const option of options) {
    const relay = new MemoryRelay(option)
    const client = await relay.login({ info: { canAckPings: true } })
    relay.clock.advance(3_000)
    const messages = await client.sync()
    pings.push(messages.filter(({ type }) => type === 'ping').length)
  }
  expect(pings).toEqual([3, 0])
})

test('Session accepts an unsolicited Pong (P-091)', async () => {
  const relay = new MemoryRelay()
  const client = await relay.login()
  client.send({ type: 'pong', payload: new Uint8Array(8) })
  expect(await client.sync()).toEqual([])
  expect(relay.core.counters.clientRoundTripMs.count).toBe(0)
})

test('Session counts only Pongs that it sends (P-091)', async () => {
  const relay = new MemoryRelay()
  const client = await relay.login()
  client.conn.pause()
  for (let n = 0; n < 5; n++) {
    client.send({ type: 'ping', payload: new Uint8Array(8).fill(n) })
    await client.flushed()
    await settle()
  }
  // One is being written, one is queued.
  expect(relay.core.counters).toMatchObject({ gotPing: 5, sentPong: 2 })
  client.conn.resume()
  const answers = [await client.message(), await client.message()]
  expect(answers).toEqual([0, 1].map(n => ({ type: 'pong', payload: new Uint8Array(8).fill(n) })))
})

test('Session reports pending bytes and queued packets (P-100)', async () => {
  const relay = new MemoryRelay()
  const [slow, sender] = [await relay.login(), await relay.login()]
  const session = sessionOf(relay, slow)
  slow.conn.pause()
  for (let n = 0; n < 3; n++) {
    sender.packet(slow.publicKey, new Uint8Array(10))
    await sender.sync()
  }
  expect([session.pendingBytes, session.queuedPackets]).toEqual([3 * 47, 2])
})

test('ending a Session calls back once: immediately if closed, else after the last write (P-093)', async () => {
  const relay = new MemoryRelay()
  const [slow, sender] = [await relay.login(), await relay.login()]
  const session = sessionOf(relay, slow)
  /** Whether everything was written, for each call. */
  const calls: boolean[] = []
  slow.conn.pause()
  sender.packet(slow.publicKey, 'waits')
  await sender.sync()
  session.end(isWhole => calls.push(isWhole))
  expect(calls).toEqual([])
  session.close()
  expect(calls).toEqual([false])
  session.end(isWhole => calls.push(isWhole))
  expect(calls).toEqual([false, true])
  await slow.closed()
})

test('a packet for a client that left in the same turn is dropped and counted as unknown (P-055)', async () => {
  const relay = new MemoryRelay()
  const { client, handler } = await loginOver(relay)
  const other = await relay.login()
  sessionOf(relay, other).close()
  handler().onData(encodeClientToServer({ type: 'sendPacket', destination: other.publicKey, data: BODY }))
  expect(relay.core.counters.dropped.unknown_dest.other).toEqual({ packets: 1, bytes: 1_000 })
  expect(await client.sync()).toEqual([])
})

test('relay writes once per client and turn', async () => {
  const relay = new MemoryRelay()
  const { handler } = await loginOver(relay)
  const [a, b] = [await relay.login(), await relay.login()]
  const writes = relay.core.counters.bufferedWriteFrames
  const [count, sum] = [writes.count, writes.sum]
  for (let n = 0; n < 6; n++) {
    const destination = (n % 2 === 0 ? a : b).publicKey
    handler().onData(encodeClientToServer({ type: 'sendPacket', destination, data: Uint8Array.of(n) }))
  }
  expect([writes.count - count, a.waitingFrames.length]).toEqual([0, 0])
  for (const client of [a, b]) for (let n = 0; n < 3; n++) await client.message()
  expect([writes.count - count, writes.sum - sum]).toEqual([2, 6])
})
