import { expect, test } from 'vitest'
import { NodePrivateKey } from '../../src/keys/node-key.ts'
import { encodeUtf8 } from '../../src/lib/bytes.ts'
import { encodeFrame, encodePing } from '../../src/protocol/encode.ts'
import { FrameType } from '../../src/protocol/frame-type.ts'
import { MemoryRelay } from '../support/memory-relay.ts'
import { settle, until } from '../support/settle.ts'

/** A disco-shaped packet of `size` bytes that ends in `last`. */
function disco(size: number, last: number): Uint8Array {
  const packet = new Uint8Array(size)
  packet.set(encodeUtf8('TS\u{1F4AC}'))
  packet[size - 1] = last
  return packet
}

test('a flood of disco packets does not starve data to a slow reader (P-100)', async () => {
  const relay = new MemoryRelay()
  const [flooder, sender, slow] = [await relay.login(), await relay.login(), await relay.login()]
  slow.conn.pause()
  flooder.packet(slow.publicKey, disco(60_000, 0))
  await flooder.sync()
  for (let n = 0; n < 32; n++) {
    flooder.packet(slow.publicKey, disco(60_000, n))
    sender.packet(slow.publicKey, Uint8Array.of(n))
  }
  await Promise.all([flooder.sync(), sender.sync()])
  slow.conn.resume()
  const kinds: string[] = []
  while (kinds.filter(kind => kind === 'data').length < 32) {
    const { data } = await slow.messageOf('receivedPacket')
    kinds.push(data.length === 1 ? 'data' : 'disco')
  }
  // Alternating: at most one disco packet per data packet.
  expect(kinds.filter(kind => kind === 'disco').length).toBeLessThanOrEqual(34)
})

test('a client is not notified when a peer leaves that sent it nothing (P-062)', async () => {
  const relay = new MemoryRelay()
  const [gone, loud, slow] = [await relay.login(), await relay.login(), await relay.login()]
  slow.conn.pause()
  loud.packet(slow.publicKey, Uint8Array.of(0))
  await loud.sync()
  gone.packet(slow.publicKey, Uint8Array.of(1))
  await gone.sync()
  for (let n = 0; n < 32; n++) loud.packet(slow.publicKey, Uint8Array.of(2))
  await loud.sync()
  gone.close()
  await settle()
  slow.conn.resume()
  const messages = await slow.sync()
  expect(messages.filter(({ type }) => type === 'peerGone')).toEqual([])
  expect(relay.core.counters.dropped.queue_head.other.packets).toBe(1)
})

test('a client is notified when a peer leaves whose packet was queued (P-062)', async () => {
  const relay = new MemoryRelay()
  const [gone, loud, slow] = [await relay.login(), await relay.login(), await relay.login()]
  const key = gone.publicKey
  slow.conn.pause()
  loud.packet(slow.publicKey, Uint8Array.of(0))
  await loud.sync()
  gone.packet(slow.publicKey, Uint8Array.of(1))
  await gone.sync()
  slow.conn.resume()
  await slow.messageOf('receivedPacket')
  await slow.messageOf('receivedPacket')
  gone.close()
  expect(await slow.messageOf('peerGone')).toEqual({ type: 'peerGone', peer: key, reason: 0 })
})

test('a watcher is notified of thousands of peers in writes of bounded size (P-070, P-101)', async () => {
  const { MeshKey } = await import('../../src/keys/mesh-key.ts')
  const meshKey = 'ab'.repeat(32)
  const relay = new MemoryRelay({ meshKey: MeshKey.parse(meshKey), maxWriteBytes: 1_000 })
  const clients = await Promise.all(Array.from({ length: 100 }, () => relay.login()))
  const watcher = await relay.login({ info: { meshKey } })
  watcher.conn.pause()
  watcher.send({ type: 'watchConns' })
  await settle()
  const { pendingBytes } = [...relay.core.sessions].at(-1) ?? { pendingBytes: 0 }
  expect(pendingBytes).toBeGreaterThan(100 * 56)
  watcher.conn.resume()
  const told = new Set<string>()
  while (told.size < 101) told.add(String((await watcher.messageOf('peerPresent')).peer))
  expect(told.has(String(clients[0]?.publicKey))).toBe(true)
  const { bufferedWriteFrames } = relay.core.counters
  expect(bufferedWriteFrames.counts.at(-1)).toBe(0)
})

test('rapid pings may go unanswered, and cost one Pong per write (P-091)', async () => {
  const relay = new MemoryRelay()
  const client = await relay.login()
  const pings = Array.from({ length: 200 }, (_, n) => [...encodePing(FrameType.Ping, new Uint8Array(8).fill(n))])
  client.sendBytes(Uint8Array.from(pings.flat()))
  expect(await client.message()).toEqual({ type: 'pong', payload: new Uint8Array(8).fill(0) })
  expect(await client.sync()).toEqual([])
  expect(relay.core.counters).toMatchObject({ gotPing: 201, sentPong: 2 })
})

test('a login that fails inside the relay leaves no state', async () => {
  const relay = new MemoryRelay()
  const stop = relay.core.events.on('clientConnected', () => {
    throw new Error('listener is broken')
  })
  const client = relay.connect()
  await client.greeting()
  client.sendBytes(await client.hello())
  await client.closed()
  await until(() => relay.core.counters.currentConnections === 0, 'the session is gone')
  expect(relay.core.counters.failures).toMatchObject({ ERR_DERP_LOGIN_FAILED: expect.any(Number) })
  expect(relay.core.routes.size).toBe(0)
  stop()
})

test('a relay allocates no more than it has received before login (P-003)', async () => {
  const relay = new MemoryRelay()
  const client = relay.connect()
  await client.greeting()
  const info = 'x'.repeat(100_000)
  const hello = await client.hello({ json: JSON.stringify({ version: 2, later: info }) })
  for (let at = 0; at < hello.length; at += 5_000) client.sendBytes(hello.subarray(at, at + 5_000))
  await client.serverInfo()
  expect(await client.sync()).toEqual([])
  const key = NodePrivateKey.generate().publicKey()
  client.sendBytes(encodeFrame(FrameType.SendPacket, key.bytes, new Uint8Array(65_536)))
  expect(await client.sync()).toEqual([])
})

test('removing the limit resumes a throttled client (P-103)', async () => {
  const relay = new MemoryRelay({ rateLimit: { bytesPerSecond: 1, burstBytes: 0 } })
  const client = await relay.login()
  for (let n = 0; n < 3; n++) client.sendBytes(encodeFrame(0xee as FrameType, new Uint8Array(60_000)))
  await until(() => relay.core.counters.rateLimitWaits === 1, 'the client is waiting')
  relay.core.rateLimit = undefined
  expect(await client.sync()).toEqual([])
})
