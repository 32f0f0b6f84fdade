import { expect, test } from 'vitest'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { rejectionsOf } from '../../test/support/rejections.ts'
import { testAgreement } from '../../test/support/relay.ts'
import { type ScriptedRelay, scriptedMemoryRelay } from '../../test/support/scripted-relay.ts'
import { settle, until } from '../../test/support/settle.ts'
import { NodePrivateKey } from '../keys/node-key.ts'
import { writeUint32 } from '../lib/bytes.ts'
import { encodeFrame, encodeServerToClient } from '../protocol/encode.ts'
import { FrameType } from '../protocol/frame-type.ts'
import type { ServerToClient } from '../protocol/messages.ts'
import { DerpClient } from './derp-client.ts'
import type { DerpClientOptions } from './options.ts'

const PEER = NodePrivateKey.generate().publicKey()
const OTHER = NodePrivateKey.generate().publicKey()
const PING = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)

/** A logged-in client that has received its ServerInfo. */
async function setUp(options: Partial<DerpClientOptions> = {}) {
  const { relay, clientConn, serverConn } = scriptedMemoryRelay()
  const clock = new FakeClock()
  const privateKey = NodePrivateKey.generate()
  const login = DerpClient.login(clientConn, { privateKey, agreement: testAgreement, clock, ...options })
  await relay.login()
  const client = await login
  await client.recv()
  return { relay, clientConn, serverConn, clock, client }
}

const packet = (data: Uint8Array): Extract<ServerToClient, { type: 'receivedPacket' }> => ({
  type: 'receivedPacket',
  source: PEER,
  data,
})

/** Numbered packets of 1000 bytes. */
const numbered = (count: number): Uint8Array[] =>
  Array.from({ length: count }, (_, i) => encodeServerToClient(packet(new Uint8Array(1000).fill(i))))

/** A header that announces `length` bytes. */
function header(type: number, length: number): Uint8Array {
  const bytes = Uint8Array.of(type, 0, 0, 0, 0)
  writeUint32(bytes, 1, length)
  return bytes
}

test('recv returns every message as it was sent (P-204)', async () => {
  const { relay, client } = await setUp()
  const messages: Exclude<ServerToClient, { type: 'serverKey' | 'sealedServerInfo' }>[] = [
    packet(Uint8Array.of(9, 8, 7)),
    packet(new Uint8Array(0)),
    packet(new Uint8Array(65_536).fill(7)),
    { type: 'peerGone', peer: PEER, reason: 1 },
    { type: 'peerPresent', peer: PEER, address: { address: '192.0.2.7', port: 41641 }, flags: 3 },
    { type: 'ping', payload: PING },
    { type: 'pong', payload: PING },
    { type: 'keepAlive' },
    { type: 'health', problem: 'duplicate key' },
    { type: 'serverRestarting', reconnectInMs: 1000, tryForMs: 2000 },
  ]
  relay.say(...messages)
  for (const message of messages) expect(await client.recv()).toEqual(message)
})

test('recv returns ServerInfo opened, a second one too (P-034)', async () => {
  const { relay, client } = await setUp()
  const limits = { tokenBucketBytesPerSecond: 1000, tokenBucketBytesBurst: 5000 }
  relay.send(relay.serverInfo(limits))
  expect(await client.recv()).toEqual({ type: 'serverInfo', ...limits })
})

test('recv returns packets that own their memory', async () => {
  const { relay, client } = await setUp()
  relay.send(...numbered(2))
  const frame = encodeServerToClient(packet(new Uint8Array(100)))
  relay.send(frame.subarray(0, 50))
  relay.send(frame.subarray(50))
  for (const length of [1000, 1000, 100]) {
    const message = await client.recv()
    const data = message.type === 'receivedPacket' ? message.data : undefined
    expect([data?.length, data?.buffer.byteLength]).toEqual([length, length])
  }
})

test('frames of unknown types, and those a client sends, are skipped (P-002)', async () => {
  const { relay, client } = await setUp()
  relay.send(encodeFrame(0x7f as FrameType, new Uint8Array(1 << 20)))
  relay.send(encodeFrame(FrameType.SendPacket, new Uint8Array(40)), encodeFrame(FrameType.ServerKey))
  relay.say({ type: 'keepAlive' })
  expect(await client.recv()).toEqual({ type: 'keepAlive' })
})

test('frames too short for their type are skipped (P-004)', async () => {
  const { relay, client } = await setUp()
  for (const type of [FrameType.RecvPacket, FrameType.PeerGone, FrameType.PeerPresent]) {
    relay.send(encodeFrame(type), encodeFrame(type, new Uint8Array(31)))
  }
  for (const type of [FrameType.Ping, FrameType.Pong, FrameType.Restarting]) {
    relay.send(encodeFrame(type), encodeFrame(type, new Uint8Array(7)))
  }
  relay.say({ type: 'keepAlive' })
  expect(await client.recv()).toEqual({ type: 'keepAlive' })
})

test.each([FrameType.RecvPacket, FrameType.KeepAlive, 0x7f])(
  'a frame 0x%s of more than 1 MiB ends the connection at its header (P-004)',
  async type => {
    const { relay, clock, client } = await setUp()
    relay.say({ type: 'keepAlive' })
    relay.send(header(type, (1 << 20) + 1))
    relay.say({ type: 'keepAlive' })
    expect(await client.recv()).toEqual({ type: 'keepAlive' })
    await expect(client.recv()).rejects.toMatchObject({ code: 'ERR_DERP_FRAME_TOO_LONG' })
    await settle()
    expect(relay.closed).toBe(true)
    expect(clock.pendingTimers).toBe(0)
  },
)

test.each<[string, (relay: ScriptedRelay) => Uint8Array]>([
  ['is sealed by another key', () => encodeFrame(FrameType.ServerInfo, new Uint8Array(100))],
  ['is too short for a box', () => encodeFrame(FrameType.ServerInfo, new Uint8Array(10))],
  ['was changed on the way', relay => relay.serverInfo().map((byte, i) => (i === 40 ? byte ^ 1 : byte))],
])('a ServerInfo that %s ends the connection (P-004)', async (_what, frame) => {
  const { relay, client } = await setUp()
  relay.send(frame(relay), encodeFrame(FrameType.KeepAlive))
  await expect(client.recv()).rejects.toMatchObject({ code: 'ERR_DERP_LOGIN_BOX_FORGED' })
  await until(() => relay.closed, 'the connection is closed')
  await expect(client.recv()).rejects.toMatchObject({ code: 'ERR_DERP_LOGIN_BOX_FORGED' })
})

test('every later call rejects with the first error', async () => {
  const { relay, client } = await setUp()
  const waiting = client.recv()
  relay.send(header(FrameType.RecvPacket, 0xffffffff))
  const error = await waiting.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toMatchObject({ code: 'ERR_DERP_FRAME_TOO_LONG' })
  expect(client.error).toBe(error)
  await expect(client.recv()).rejects.toBe(error)
  await expect(client.send(PEER, PING)).rejects.toBe(error)
  await expect(client.sendPing(PING)).rejects.toBe(error)
  client.close()
  await expect(client.recv()).rejects.toBe(error)
})

test('an endless stream of garbage ends the connection with a typed error', async () => {
  const { relay, client } = await setUp()
  let state = 1
  const garbage = Uint8Array.from({ length: 1 << 16 }, () => {
    state = (state * 48_271) % 0x7fffffff
    return state
  })
  for (let i = 0; i < 100 && !relay.closed; i++) {
    relay.send(garbage)
    await settle(1)
  }
  expect(client.error).toMatchObject({ code: expect.stringMatching(/^ERR_DERP_(FRAME|LOGIN)_/) })
})

test('a relay that closes in the middle of a frame ends the connection after what came before', async () => {
  const { relay, clock, client } = await setUp()
  relay.say({ type: 'keepAlive' })
  relay.send(header(FrameType.RecvPacket, 1000), new Uint8Array(500))
  relay.conn.end()
  expect(await client.recv()).toEqual({ type: 'keepAlive' })
  await expect(client.recv()).rejects.toMatchObject({
    code: 'ERR_DERP_CONN_CLOSED',
    message: 'receive: connection closed by the relay',
  })
  expect(clock.pendingTimers).toBe(0)
})

test('a full receive queue pauses the connection until half empty, and loses nothing', async () => {
  const { relay, clientConn, client } = await setUp({ receiveQueueBytes: 8000 })
  for (const frame of numbered(40)) relay.send(frame)
  await settle()
  expect(clientConn.unreadWrites).toBeGreaterThan(30)
  const waiting = clientConn.unreadWrites
  const seen: (number | undefined)[] = []
  const take = async () => {
    const message = await client.recv()
    if (message.type === 'receivedPacket') seen.push(message.data[0])
  }
  await take()
  await settle()
  expect(clientConn.unreadWrites).toBe(waiting)
  while (seen.length < 40) await take()
  expect(seen).toEqual(Array.from({ length: 40 }, (_, i) => i))
  expect(clientConn.unreadWrites).toBe(0)
})

test('a chunk with more frames than the receive queue holds is delivered completely, even after the connection has ended', async () => {
  const { relay, client } = await setUp({ receiveQueueBytes: 3000 })
  relay.send(...numbered(20))
  await settle()
  relay.conn.destroy()
  await settle()
  for (let i = 0; i < 20; i++) expect(await client.recv()).toMatchObject({ data: new Uint8Array(1000).fill(i) })
  await expect(client.recv()).rejects.toMatchObject({ code: 'ERR_DERP_CONN_CLOSED' })
})

test('an aborted receive loses no message', async () => {
  const { relay, client } = await setUp()
  const controller = new AbortController()
  const given = client.recv(controller.signal)
  controller.abort()
  await expect(given).rejects.toMatchObject({ code: 'ERR_DERP_ABORTED' })
  relay.say({ type: 'keepAlive' })
  await expect(client.recv()).resolves.toEqual({ type: 'keepAlive' })
})

test('the connection ends after 120 s of silence; any frame, even a skipped one, resets the timer (P-094)', async () => {
  const { relay, clock, client } = await setUp()
  clock.advance(100_000)
  relay.send(encodeFrame(0x7f as FrameType))
  await settle()
  clock.advance(119_999)
  expect(client.error).toBeUndefined()
  clock.advance(1)
  await expect(client.recv()).rejects.toMatchObject({
    code: 'ERR_DERP_READ_TIMEOUT',
    message: 'receive: no frame for 120000 ms',
  })
  await settle()
  expect(relay.closed).toBe(true)
  expect(clock.pendingTimers).toBe(0)
})

test('bytes of an incomplete frame do not reset the timer (P-094)', async () => {
  const { relay, clock, client } = await setUp()
  relay.send(header(FrameType.RecvPacket, 1000))
  for (let i = 0; i < 12; i++) {
    clock.advance(10_000)
    relay.send(Uint8Array.of(i))
    await settle()
  }
  expect(client.error).toMatchObject({ code: 'ERR_DERP_READ_TIMEOUT' })
})

test('the timer does not run while reading is paused (P-094)', async () => {
  const { relay, clock, client } = await setUp({ receiveQueueBytes: 1000 })
  relay.send(...numbered(2))
  await settle()
  clock.advance(1_000_000)
  expect(client.error).toBeUndefined()
  await client.recv()
  await client.recv()
  clock.advance(119_999)
  expect(client.error).toBeUndefined()
  clock.advance(1)
  expect(client.error).toMatchObject({ code: 'ERR_DERP_READ_TIMEOUT' })
})

test('each call sends its frame (P-050, P-054, P-070, P-072, P-073, P-091)', async () => {
  const { relay, clock, client } = await setUp()
  await client.send(PEER, Uint8Array.of(1))
  await client.forwardPacket(OTHER, PEER, Uint8Array.of(2))
  await client.notePreferred(true)
  await client.notePreferred(false)
  await client.watchConnectionChanges()
  await client.closePeer(PEER)
  await client.sendPing(PING)
  await client.sendPong(PING)
  expect(relay.frames).toEqual([
    { type: 'sendPacket', destination: PEER, data: Uint8Array.of(1) },
    { type: 'forwardPacket', source: OTHER, destination: PEER, data: Uint8Array.of(2) },
    { type: 'notePreferred', preferred: true },
    { type: 'notePreferred', preferred: false },
    { type: 'watchConns' },
    { type: 'closePeer', peer: PEER },
    { type: 'ping', payload: PING },
    { type: 'pong', payload: PING },
  ])
  expect(clock.pendingTimers).toBe(1)
})

test('send copies its bytes at once and keeps the order', async () => {
  const { relay, client } = await setUp()
  const bytes = Uint8Array.of(0)
  const sent: Promise<void>[] = []
  for (let i = 0; i < 5; i++) {
    bytes[0] = i
    sent.push(client.send(PEER, bytes))
  }
  await Promise.all(sent)
  expect(relay.frames).toMatchObject([0, 1, 2, 3, 4].map(i => ({ data: Uint8Array.of(i) })))
})

test('send waits while the relay does not read, and loses nothing (P-203)', async () => {
  const { relay, serverConn, client } = await setUp()
  relay.conn.pause()
  let written = 0
  const sent = Array.from({ length: 50 }, async () => {
    await client.send(PEER, new Uint8Array(1000))
    written++
  })
  await settle()
  expect(written).toBe(0)
  expect(serverConn.unreadWrites).toBe(1)
  relay.conn.resume()
  await Promise.all(sent)
  expect(relay.frames).toHaveLength(50)
})

test('send takes 65536 bytes; more is rejected with its size, and the connection stays open (P-052)', async () => {
  const { relay, client } = await setUp()
  await expect(client.send(PEER, new Uint8Array(65_537))).rejects.toMatchObject({
    code: 'ERR_DERP_PACKET_TOO_LONG',
    message: 'send packet of 65537 bytes: more than 65536',
  })
  await expect(client.forwardPacket(OTHER, PEER, new Uint8Array(65_537))).rejects.toMatchObject({
    code: 'ERR_DERP_PACKET_TOO_LONG',
  })
  await client.send(PEER, new Uint8Array(65_536))
  await client.forwardPacket(OTHER, PEER, new Uint8Array(65_536))
  expect(relay.frames).toHaveLength(2)
})

test('a ping or pong of other than eight bytes is rejected, and the connection stays open (P-091)', async () => {
  const { relay, client } = await setUp()
  await expect(client.sendPing(new Uint8Array(7))).rejects.toThrow(RangeError)
  await expect(client.sendPong(new Uint8Array(9))).rejects.toThrow(RangeError)
  await client.sendPing(PING)
  expect(relay.frames).toHaveLength(1)
})

test('a forwarded packet not written within 5 s ends the connection (P-212)', async () => {
  const { relay, clock, client } = await setUp()
  relay.conn.pause()
  const forwarded = client.forwardPacket(OTHER, PEER, PING)
  await settle()
  clock.advance(4999)
  expect(client.error).toBeUndefined()
  clock.advance(1)
  await expect(forwarded).rejects.toMatchObject({
    code: 'ERR_DERP_WRITE_TIMEOUT',
    message: 'forward packet: not written in 5000 ms',
  })
  await until(() => relay.closed, 'the connection is closed')
})

test('close rejects pending and later calls and discards received messages', async () => {
  const { relay, clock, client } = await setUp()
  relay.conn.pause()
  const waiting = client.recv()
  const sending = client.send(PEER, PING)
  await settle()
  client.close()
  for (const error of await rejectionsOf([waiting, sending, client.recv(), client.send(PEER, PING)])) {
    expect(error).toMatchObject({
      code: 'ERR_DERP_CONN_CLOSED',
      message: 'use connection to relay: closed locally',
    })
  }
  await settle()
  expect(relay.closed).toBe(true)
  expect(clock.pendingTimers).toBe(0)

  const other = await setUp()
  other.relay.say({ type: 'keepAlive' })
  await settle()
  other.client.close()
  await expect(other.client.recv()).rejects.toMatchObject({ code: 'ERR_DERP_CONN_CLOSED' })
})

test('a relay that closes after the login, before ServerInfo, has that explained (P-036)', async () => {
  const { relay, clientConn } = scriptedMemoryRelay()
  const privateKey = NodePrivateKey.generate()
  const login = DerpClient.login(clientConn, { privateKey, agreement: testAgreement, clock: new FakeClock() })
  relay.greet()
  await relay.hello()
  const client = await login
  relay.conn.end()
  await expect(client.recv()).rejects.toMatchObject({
    code: 'ERR_DERP_CONN_CLOSED',
    message:
      'log in: connection closed by the relay after the login was sent: it does not admit this key (see its admission settings and log), or is going down',
  })
})

test('a megabyte of nested ServerInfo ends the connection before it is parsed (P-034)', async () => {
  const { relay, client } = await setUp()
  relay.send(relay.sealedServerInfo(new Uint8Array(1_000_000).fill('['.charCodeAt(0))))
  await expect(client.recv()).rejects.toMatchObject({
    code: 'ERR_DERP_LOGIN_INFO_MALFORMED',
    message: 'parse ServerInfo: nested more than 32 deep',
  })
})
