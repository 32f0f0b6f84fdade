import { expect, test } from 'vitest'
import { NodePrivateKey } from '../../src/keys/node-key.ts'
import { encodeUtf8 } from '../../src/lib/bytes.ts'
import { encodeClientToServer, encodeFrame } from '../../src/protocol/encode.ts'
import { FrameType } from '../../src/protocol/frame-type.ts'
import type { ServerToClient } from '../../src/protocol/messages.ts'
import { MemoryRelay } from '../support/memory-relay.ts'
import { settle } from '../support/settle.ts'

const payload = (size: number, seed = 1) => Uint8Array.from({ length: size }, (_, at) => (at * 31 + seed) & 255)
/** The shortest packet that looks like a disco message. */
const disco = (size = 62) => Uint8Array.from([...encodeUtf8('TS\u{1F4AC}'), ...payload(size - 6)])
const stranger = NodePrivateKey.generate().publicKey()

test('relay forwards packets of every size with the source prepended (P-050, P-051, P-052)', async () => {
  const relay = new MemoryRelay()
  const [a, b] = [await relay.login(), await relay.login()]
  for (const size of [0, 1, 31, 32, 1000, 1400, 65_535, 65_536]) {
    a.packet(b.publicKey, payload(size))
    expect(await b.message()).toEqual({ type: 'receivedPacket', source: a.publicKey, data: payload(size) })
  }
  expect(relay.core.counters).toMatchObject({
    packetsReceivedOther: 8,
    bytesReceived: 133_535,
    packetsSent: 8,
    bytesSent: 133_535,
    packetsForwardedOut: 0,
  })
  const [from, to] = [...relay.core.sessions].map(({ tally }) => tally)
  expect(from).toMatchObject({ packetsReceived: 8, packetBytesReceived: 133_535, packetsSent: 0, packetBytesSent: 0 })
  expect(to).toMatchObject({ packetsReceived: 0, packetBytesReceived: 0, packetsSent: 8, packetBytesSent: 133_535 })
})

test('relay keeps the order of one source, and lets a client send to itself (P-005, P-050)', async () => {
  const relay = new MemoryRelay()
  const a = await relay.login()
  for (let n = 0; n < 20; n++) a.packet(a.publicKey, Uint8Array.of(n))
  for (let n = 0; n < 20; n++) {
    expect(await a.message()).toEqual({ type: 'receivedPacket', source: a.publicKey, data: Uint8Array.of(n) })
  }
})

test('relay splits a stream of packets for two destinations correctly, for any chunking (P-001, P-050)', async () => {
  const relay = new MemoryRelay()
  const [a, b, c] = [await relay.login(), await relay.login(), await relay.login()]
  const stream = Uint8Array.from(
    Array.from({ length: 12 }, (_, n) => [
      ...encodeClientToServer({
        type: 'sendPacket',
        destination: n % 3 === 0 ? b.publicKey : c.publicKey,
        data: payload(n, n),
      }),
    ]).flat(),
  )
  for (const step of [1, 7, 64, 10_000]) {
    for (let at = 0; at < stream.length; at += step) a.sendBytes(stream.subarray(at, at + step))
    for (const [client, wanted] of [
      [b, [0, 3, 6, 9]],
      [c, [1, 2, 4, 5, 7, 8, 10, 11]],
    ] as const) {
      for (const n of wanted) expect(await client.message()).toMatchObject({ data: payload(n, n) })
    }
  }
})

test('relay closes a client whose packet is too long, at its header (P-003, P-052)', async () => {
  const relay = new MemoryRelay()
  const [a, b] = [await relay.login(), await relay.login()]
  a.sendBytes(Uint8Array.of(FrameType.SendPacket, 0, 1, 0, 33))
  await a.closed()
  expect(relay.core.counters.failures).toEqual({ ERR_DERP_FRAME_TOO_LONG: 1 })
  expect(await b.sync()).toEqual([])
})

test('relay skips frames of unknown types and of the other direction at any length (P-002, P-006)', async () => {
  const relay = new MemoryRelay()
  const a = await relay.login()
  a.sendBytes(encodeFrame(0xee as FrameType, payload(100_000)))
  for (const type of [FrameType.RecvPacket, FrameType.ClientInfo, FrameType.Pong, FrameType.Restarting]) {
    a.sendBytes(encodeFrame(type, payload(300_000)))
  }
  expect(await a.sync()).toEqual([])
})

test('relay closes a client whose frame has the wrong length for its type (P-003)', async () => {
  const relay = new MemoryRelay()
  const frames: [FrameType, number][] = [
    [FrameType.SendPacket, 31],
    [FrameType.NotePreferred, 0],
    [FrameType.NotePreferred, 2],
    [FrameType.Ping, 7],
    [FrameType.Ping, 1001],
    [FrameType.WatchConns, 1],
    [FrameType.ClosePeer, 31],
    [FrameType.ForwardPacket, 63],
  ]
  for (const [type, length] of frames) {
    const client = await relay.login()
    client.sendBytes(encodeFrame(type, payload(length)))
    await client.closed()
  }
  const { failures } = relay.core.counters
  expect((failures.ERR_DERP_FRAME_TOO_SHORT ?? 0) + (failures.ERR_DERP_FRAME_TOO_LONG ?? 0)).toBe(frames.length)
})

test('relay drops a packet for an unknown key, and replies only to disco packets (P-053, P-055, P-061)', async () => {
  const relay = new MemoryRelay()
  const a = await relay.login()
  a.packet(stranger, payload(100))
  a.packet(stranger, disco(61))
  expect(await a.sync()).toEqual([])
  a.packet(stranger, disco())
  expect(await a.message()).toEqual({ type: 'peerGone', peer: stranger, reason: 1 })
  expect(relay.core.counters.dropped.unknown_dest).toEqual({
    disco: { packets: 1, bytes: 62 },
    other: { packets: 2, bytes: 161 },
  })
})

test('relay sends "not here" three times in a burst, then once a second (P-061)', async () => {
  const relay = new MemoryRelay()
  const a = await relay.login()
  const ask = async (times: number) => {
    for (let n = 0; n < times; n++) a.packet(stranger, disco())
    return (await a.sync()).filter(({ type }) => type === 'peerGone').length
  }
  expect(await ask(10)).toBe(3)
  relay.clock.advance(999)
  expect(await ask(2)).toBe(0)
  relay.clock.advance(1)
  expect(await ask(2)).toBe(1)
  relay.clock.advance(60_000)
  expect(await ask(10)).toBe(3)
  expect(relay.core.counters.peerGoneNotHereFrames).toBe(7)
})

test('relay notifies clients that received from a peer when it leaves, once per connection and source (P-062)', async () => {
  const relay = new MemoryRelay()
  const [a, b, c] = [await relay.login(), await relay.login(), await relay.login()]
  const privateKey = NodePrivateKey.generate()
  const peer = await relay.login({ privateKey })
  peer.packet(a.publicKey, 'to a')
  await a.message()
  peer.close()
  expect(await a.message()).toEqual({ type: 'peerGone', peer: privateKey.publicKey(), reason: 0 })
  expect(await b.sync()).toEqual([])

  const again = await relay.login({ privateKey })
  again.packet(a.publicKey, 'again')
  again.packet(c.publicKey, 'to c')
  await Promise.all([a.message(), c.message()])
  again.close()
  expect(await c.message()).toEqual({ type: 'peerGone', peer: privateKey.publicKey(), reason: 0 })
  expect(await a.sync()).toEqual([])
  expect(relay.core.counters.peerGoneDisconnectedFrames).toBe(2)
})

test('relay counts home announcements (P-054)', async () => {
  const relay = new MemoryRelay()
  const a = await relay.login()
  const prefer = async (preferred: boolean) => {
    a.send({ type: 'notePreferred', preferred })
    await a.sync()
    const { currentHomeConnections, homeMovesIn, homeMovesOut } = relay.core.counters
    return [currentHomeConnections, homeMovesIn, homeMovesOut]
  }
  expect(await prefer(true)).toEqual([1, 0, 0])
  relay.clock.advance(5_001)
  expect(await prefer(true)).toEqual([1, 0, 0])
  expect(await prefer(false)).toEqual([0, 0, 1])
  expect(await prefer(true)).toEqual([1, 1, 1])
  a.close()
  await settle()
  expect(relay.core.counters.currentHomeConnections).toBe(0)
})

test('relay answers a ping with its first eight bytes (P-091)', async () => {
  const relay = new MemoryRelay()
  const a = await relay.login()
  a.sendBytes(encodeFrame(FrameType.Ping, payload(1000)))
  expect(await a.message()).toEqual({ type: 'pong', payload: payload(8) })
  expect(relay.core.counters).toMatchObject({ gotPing: 1, sentPong: 1 })
})

test('relay sends a keep-alive every 60 s plus a jitter drawn once per session (P-090)', async () => {
  const relay = new MemoryRelay({ random: () => 0.5 })
  const a = await relay.login()
  a.packet(a.publicKey, 'traffic does not put it off')
  await a.message()
  relay.clock.advance(62_499)
  expect(await a.sync()).toEqual([])
  relay.clock.advance(1)
  expect(await a.message()).toEqual({ type: 'keepAlive' })
  relay.clock.advance(62_500)
  expect(await a.message()).toEqual({ type: 'keepAlive' })
})

test('relay queues 32 data and 32 disco packets for a slow reader, keeping the newest (P-100)', async () => {
  const relay = new MemoryRelay()
  const [a, b] = [await relay.login(), await relay.login()]
  b.conn.pause()
  // Fills the connection's pending write.
  a.packet(b.publicKey, Uint8Array.of(255))
  await a.sync()
  for (let n = 0; n < 40; n++) {
    a.packet(b.publicKey, Uint8Array.of(n))
    a.packet(b.publicKey, Uint8Array.from([...disco(), n]))
  }
  await a.sync()
  expect(relay.core.counters.dropped.queue_head).toEqual({
    disco: { packets: 8, bytes: 8 * 63 },
    other: { packets: 8, bytes: 8 },
  })
  b.conn.resume()
  const packets: ServerToClient[] = []
  for (let n = 0; n < 65; n++) packets.push(await b.message())
  const last = packets.map(message => (message.type === 'receivedPacket' ? message.data.at(-1) : -1))
  expect(last.filter((_, at) => packets[at]?.type === 'receivedPacket')).toHaveLength(65)
  const ofSize = (size: number) =>
    packets.flatMap(message =>
      message.type === 'receivedPacket' && message.data.length === size ? [message.data.at(-1)] : [],
    )
  const newest = Array.from({ length: 32 }, (_, n) => n + 8)
  expect(ofSize(1)).toEqual([255, ...newest])
  expect(ofSize(63)).toEqual(newest)
})

test('relay bounds the queues of all slow readers together, at the expense of the longest (P-104)', async () => {
  const relay = new MemoryRelay({ maxQueuedBytes: 100_000 })
  const [a, least, most] = [await relay.login(), await relay.login(), await relay.login()]
  for (const reader of [least, most]) {
    reader.conn.pause()
    a.packet(reader.publicKey, Uint8Array.of(255))
  }
  await a.sync()
  a.packet(least.publicKey, new Uint8Array(10_000))
  for (let n = 0; n < 12; n++) {
    a.packet(most.publicKey, new Uint8Array(10_000).fill(n))
    await a.sync()
    expect(relay.core.queueBudget.bytes).toBeLessThanOrEqual(100_000)
  }
  const { packets } = relay.core.counters.dropped.queue_budget.other
  expect(packets).toBeGreaterThanOrEqual(3)
  for (const reader of [least, most]) reader.conn.resume()
  expect((await least.sync()).length).toBe(2)
  const received = (await most.sync()).flatMap(each => (each.type === 'receivedPacket' ? [each.data[0]] : []))
  expect(received).toEqual([255, ...Array.from({ length: 12 - packets }, (_, n) => n + packets)])
  expect(relay.core.queueBudget.bytes).toBe(0)
})

test('relay ends connections, the oldest first, when what they do not read exceeds the bound (P-104)', async () => {
  const relay = new MemoryRelay({ maxQueuedBytes: 150_000 })
  const [a, ...readers] = [await relay.login(), await relay.login(), await relay.login(), await relay.login()]
  for (const reader of readers) {
    reader.conn.pause()
    a.packet(reader.publicKey, new Uint8Array(60_000))
    await a.sync()
  }
  await settle()
  expect(readers.map(reader => reader.isClosed)).toEqual([true, false, false])
  expect(relay.core.counters.failures).toEqual({ ERR_DERP_BACKLOG_FULL: 1 })
  expect(relay.core.counters.dropped.write_error.other.packets).toBe(1)
  for (const reader of readers.slice(1)) {
    reader.conn.resume()
    expect((await reader.messageOf('receivedPacket')).data.length).toBe(60_000)
  }
  expect(relay.core.queueBudget.heldBytes).toBe(0)
})

test('relay counts packets queued for a client that leaves (P-100)', async () => {
  const relay = new MemoryRelay()
  const [a, b] = [await relay.login(), await relay.login()]
  b.conn.pause()
  for (let n = 0; n < 5; n++) {
    a.packet(b.publicKey, Uint8Array.of(n))
    await a.sync()
  }
  b.close()
  await settle()
  const { dropped, packetsSent, packetsReceivedOther } = relay.core.counters
  expect(dropped.gone_disconnected.other.packets + dropped.write_error.other.packets).toBe(5)
  expect([packetsReceivedOther, packetsSent]).toEqual([5, 0])
})
