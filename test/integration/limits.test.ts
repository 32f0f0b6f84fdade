import { expect, test } from 'vitest'
import { MeshKey } from '../../src/keys/mesh-key.ts'
import { NodePrivateKey } from '../../src/keys/node-key.ts'
import { encodeFrame } from '../../src/protocol/encode.ts'
import type { FrameType } from '../../src/protocol/frame-type.ts'
import { MemoryRelay } from '../support/memory-relay.ts'
import { settle, until } from '../support/settle.ts'

const MESH_KEY = 'ab'.repeat(32)
/** A frame with this payload is charged 1000 bytes. */
const PAYLOAD = new Uint8Array(968)
const LIMIT = { bytesPerSecond: 1_000, burstBytes: 0 }
/** Frames of 1000 bytes that the smallest burst, one maximum frame, allows immediately. */
const BURST_FRAMES = 65

test('relay throttles a client between frames and drops nothing (P-103)', async () => {
  const relay = new MemoryRelay({ rateLimit: LIMIT })
  const [a, b] = [await relay.login(), await relay.login()]
  const { counters } = relay.core
  for (let n = 0; n < BURST_FRAMES + 3; n++) a.packet(b.publicKey, PAYLOAD)
  await until(() => counters.rateLimitWaits === 1, 'the burst is used up')
  await settle()
  expect(counters.packetsReceivedOther).toBe(BURST_FRAMES)
  // The burst is 65,568 bytes, so 432 are missing for the next frame, then 1000 for each.
  relay.clock.advance(431)
  await settle()
  expect(counters.packetsReceivedOther).toBe(BURST_FRAMES)
  relay.clock.advance(1)
  await settle()
  expect(counters.packetsReceivedOther).toBe(BURST_FRAMES + 1)
  relay.clock.advance(1_000)
  await settle()
  relay.clock.advance(1_000)
  expect((await b.sync()).length).toBe(BURST_FRAMES + 3)
  expect(counters.dropped.queue_head.other.packets).toBe(0)
})

test('relay stops reading from a throttled client, for backpressure (P-103)', async () => {
  const relay = new MemoryRelay({ rateLimit: LIMIT })
  const a = await relay.login()
  for (let n = 0; n < 3; n++) a.sendBytes(encodeFrame(0xee as FrameType, new Uint8Array(60_000)))
  await until(() => relay.core.counters.rateLimitWaits === 1, 'the client is waiting')
  let all = false
  void a.flushed().then(() => {
    all = true
  })
  await settle()
  expect(all).toBe(false)
  relay.clock.advance(300_000)
  await a.flushed()
  expect(all).toBe(true)
})

test('a frame of unknown type cannot evade the limit by its length: above 65,568 bytes it closes the connection (P-002, P-103)', async () => {
  const relay = new MemoryRelay({ rateLimit: LIMIT, meshKey: MeshKey.parse(MESH_KEY) })
  const frame = (length: number) => encodeFrame(0xee as FrameType, new Uint8Array(length))
  const [a, b] = [await relay.login(), await relay.login()]
  a.sendBytes(frame(65_568))
  await settle()
  expect(relay.core.counters.failures).toEqual({})
  b.sendBytes(frame(65_569))
  await b.closed()
  expect(relay.core.counters.failures).toEqual({ ERR_DERP_FRAME_TOO_LONG: 1 })
  const meshPeer = await relay.login({ info: { meshKey: MESH_KEY } })
  meshPeer.sendBytes(frame(100_000))
  expect(await meshPeer.sync()).toEqual([])
  relay.core.rateLimit = undefined
  a.sendBytes(frame(100_000))
  expect(await a.sync()).toEqual([])
})

test('relay exempts sessions with the mesh key from the limit (P-103, P-074)', async () => {
  const relay = new MemoryRelay({ rateLimit: LIMIT, meshKey: MeshKey.parse(MESH_KEY) })
  const meshPeer = await relay.login({ info: { meshKey: MESH_KEY } })
  for (let n = 0; n < 200; n++) meshPeer.sendBytes(encodeFrame(0xee as FrameType, PAYLOAD))
  expect(await meshPeer.sync()).toEqual([])
  expect(relay.core.counters.rateLimitWaits).toBe(0)
})

test('relay applies a changed limit to connected clients (P-103)', async () => {
  const relay = new MemoryRelay()
  const a = await relay.login()
  const flood = () => {
    for (let n = 0; n < 70; n++) a.sendBytes(encodeFrame(0xee as FrameType, PAYLOAD))
  }
  flood()
  expect(await a.sync()).toEqual([])
  relay.core.rateLimit = LIMIT
  flood()
  await until(() => relay.core.counters.rateLimitWaits === 1, 'the client is waiting')
  relay.core.rateLimit = undefined
  relay.clock.advance(432)
  flood()
  expect(await a.sync()).toEqual([])
})

test('relay closes a client that leaves while throttled (P-103)', async () => {
  const relay = new MemoryRelay({ rateLimit: LIMIT })
  const a = await relay.login()
  for (let n = 0; n < 70; n++) a.packet(a.publicKey, PAYLOAD)
  await until(() => relay.core.counters.rateLimitWaits === 1, 'the client is waiting')
  a.close()
  await until(() => relay.core.counters.currentConnections === 0, 'the client is gone')
  relay.clock.advance(60_000)
  expect(relay.clock.pendingTimers).toBe(0)
})

test('relay closes a client whose write takes more than 2 s, a mesh peer after 30 s (P-101)', async () => {
  const relay = new MemoryRelay({ meshKey: MeshKey.parse(MESH_KEY) })
  const sender = await relay.login()
  const slow = await relay.login()
  const meshPeer = await relay.login({ info: { meshKey: MESH_KEY } })
  for (const client of [slow, meshPeer]) {
    client.conn.pause()
    sender.packet(client.publicKey, PAYLOAD)
  }
  await sender.sync()
  await settle()
  relay.clock.advance(1_999)
  expect(relay.core.counters.currentConnections).toBe(3)
  relay.clock.advance(1)
  expect(relay.core.counters).toMatchObject({ currentConnections: 2, writeTimeouts: 1 })
  expect(relay.core.counters.dropped.write_error.other).toEqual({ packets: 1, bytes: PAYLOAD.length })
  relay.clock.advance(27_999)
  expect(relay.core.counters.currentConnections).toBe(2)
  relay.clock.advance(1)
  expect(relay.core.counters).toMatchObject({ currentConnections: 1, writeTimeouts: 2 })
})

test('relay with a write timeout of zero never times out (P-101)', async () => {
  const relay = new MemoryRelay({ writeTimeoutMs: 0 })
  const [sender, slow] = [await relay.login(), await relay.login()]
  slow.conn.pause()
  sender.packet(slow.publicKey, PAYLOAD)
  await sender.sync()
  relay.clock.advance(3_600_000)
  expect(relay.core.counters.currentConnections).toBe(2)
})

test('a slow reader never stalls the other flows of a sender (P-100)', async () => {
  const relay = new MemoryRelay()
  const [sender, slow, quick] = [await relay.login(), await relay.login(), await relay.login()]
  slow.conn.pause()
  for (let n = 0; n < 100; n++) {
    sender.packet(slow.publicKey, new Uint8Array(60_000))
    sender.packet(quick.publicKey, Uint8Array.of(n))
    expect(await quick.message()).toMatchObject({ data: Uint8Array.of(n) })
  }
})

test('relay sends Health frames for problems and their end, if enabled (P-092)', async () => {
  const relay = new MemoryRelay({ tellHealth: true, rateLimit: LIMIT })
  const privateKey = NodePrivateKey.generate()
  const first = await relay.login({ privateKey })
  const second = await relay.login({ privateKey })
  for (const client of [first, second]) {
    expect((await client.messageOf('health')).problem).toContain('connected more than once')
  }
  second.close()
  expect(await first.messageOf('health')).toEqual({ type: 'health', problem: '' })
  for (let n = 0; n < 66; n++) first.sendBytes(encodeFrame(0xee as FrameType, new Uint8Array(1000)))
  expect((await first.messageOf('health')).problem).toContain('faster than the relay allows')
  relay.clock.advance(11_000)
  expect(await first.messageOf('health')).toEqual({ type: 'health', problem: '' })
})

test('relay sends no Health frames by default (P-092)', async () => {
  const relay = new MemoryRelay()
  const privateKey = NodePrivateKey.generate()
  const first = await relay.login({ privateKey })
  const second = await relay.login({ privateKey })
  expect([await first.sync(), await second.sync()]).toEqual([[], []])
})

test('relay pings clients that support it, and records the round-trip time, if enabled (P-091)', async () => {
  const relay = new MemoryRelay({ pingClientsMs: 10_000 })
  const deaf = await relay.login()
  const client = await relay.login({ info: { canAckPings: true } })
  relay.clock.advance(10_000)
  const { payload } = await client.messageOf('ping')
  relay.clock.advance(40)
  client.send({ type: 'pong', payload: new Uint8Array(8) })
  client.send({ type: 'pong', payload })
  client.send({ type: 'pong', payload })
  await client.sync()
  const { clientRoundTripMs } = relay.core.counters
  expect([clientRoundTripMs.count, clientRoundTripMs.sum]).toEqual([1, 40])
  expect(await deaf.sync()).toEqual([])
})
