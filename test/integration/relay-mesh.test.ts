import { expect, test } from 'vitest'
import { MeshKey } from '../../src/keys/mesh-key.ts'
import { NodePrivateKey, NodePublicKey } from '../../src/keys/node-key.ts'
import { encodeUtf8 } from '../../src/lib/bytes.ts'
import { silentLog } from '../../src/lib/log.ts'
import { encodeClientToServer, encodeFrame } from '../../src/protocol/encode.ts'
import { FrameType } from '../../src/protocol/frame-type.ts'
import type { ClientToServer } from '../../src/protocol/messages.ts'
import { MemoryRelay } from '../support/memory-relay.ts'
import type { LoginOptions } from '../support/raw-client.ts'
import { settle } from '../support/settle.ts'

const MESH_KEY = 'c4'.repeat(32)
const MESH_PEER: LoginOptions = { info: { meshKey: MESH_KEY } }
const REMOTE = { address: '192.0.2.1', port: 4001 }
const stranger = NodePrivateKey.generate().publicKey()
const disco = (size = 62) => Uint8Array.from([...encodeUtf8('TS\u{1F4AC}'), ...new Uint8Array(size - 6)])
const meshRelay = () => new MemoryRelay({ meshKey: MeshKey.parse(MESH_KEY) })

test('a watcher is told of all clients, then of each that connects or disconnects (P-070, P-071)', async () => {
  const relay = meshRelay()
  const before = await relay.login()
  const prober = await relay.login({
    info: { isProber: true },
    idealNode: '1b',
    address: { address: '2001:db8::7', port: 65_535 },
  })
  const watcher = await relay.login(MESH_PEER)
  watcher.send({ type: 'watchConns' })
  const flood = await watcher.sync()
  expect(flood).toHaveLength(3)
  expect(flood).toEqual(
    expect.arrayContaining([
      { type: 'peerPresent', peer: before.publicKey, address: REMOTE, flags: 1 },
      { type: 'peerPresent', peer: prober.publicKey, address: { address: '2001:db8::7', port: 65_535 }, flags: 4 | 8 },
      { type: 'peerPresent', peer: watcher.publicKey, address: REMOTE, flags: 2 },
    ]),
  )
  const later = await relay.login()
  expect(await watcher.message()).toEqual({ type: 'peerPresent', peer: later.publicKey, address: REMOTE, flags: 1 })
  later.close()
  expect(await watcher.message()).toEqual({ type: 'peerGone', peer: later.publicKey, reason: 0 })
  expect([await before.sync(), await prober.sync()]).toEqual([[], []])
  const { meshUpdateBatchSize, peerGoneDisconnectedFrames } = relay.core.counters
  expect([meshUpdateBatchSize.count, meshUpdateBatchSize.sum, peerGoneDisconnectedFrames]).toEqual([3, 5, 1])
})

test('a watcher that subscribes twice is flooded twice, and told once of later changes (P-070)', async () => {
  const relay = meshRelay()
  const watcher = await relay.login(MESH_PEER)
  watcher.send({ type: 'watchConns' })
  watcher.send({ type: 'watchConns' })
  expect(await watcher.sync()).toHaveLength(2)
  await relay.login()
  expect(await watcher.sync()).toHaveLength(1)
  expect(relay.core.registry?.watcherCount).toBe(1)
})

test('a watcher that has left is told nothing more (P-070)', async () => {
  const relay = meshRelay()
  const watcher = await relay.login(MESH_PEER)
  watcher.send({ type: 'watchConns' })
  await watcher.sync()
  watcher.close()
  await settle()
  await relay.login()
  expect(relay.core.registry?.watcherCount).toBe(0)
  expect(relay.core.counters.meshUpdateBatchSize.count).toBe(1)
})

test('a relay that has dialled itself does not watch itself (P-070)', async () => {
  const privateKey = NodePrivateKey.generate()
  const relay = new MemoryRelay({ meshKey: MeshKey.parse(MESH_KEY), privateKey })
  const self = await relay.login({ ...MESH_PEER, privateKey })
  self.send({ type: 'watchConns' })
  await relay.login()
  expect(await self.sync()).toEqual([])
})

const privileged: ClientToServer[] = [
  { type: 'watchConns' },
  { type: 'closePeer', peer: stranger },
  { type: 'forwardPacket', source: stranger, destination: stranger, data: new Uint8Array(1) },
]
test.each(privileged)('relay closes an ordinary client that sends $type (P-074)', async message => {
  const relay = meshRelay()
  const [client, other] = [await relay.login({ info: { meshKey: 'd5'.repeat(32) } }), await relay.login()]
  const errors: unknown[] = []
  relay.core.events.on('connectionFailed', ({ code, remote }) => errors.push([code, remote]))
  client.send(message)
  await client.closed()
  expect(errors).toEqual([['ERR_DERP_PERMISSION_MISSING', REMOTE]])
  expect(await other.sync()).toEqual([])
  expect(relay.core.counters).toMatchObject({ packetsForwardedIn: 0, failures: { ERR_DERP_PERMISSION_MISSING: 1 } })
})

test('relay without a mesh key grants no mesh privileges (P-038, P-074)', async () => {
  const relay = new MemoryRelay()
  for (const info of [{ meshKey: MESH_KEY }, {}, { meshKey: '' }]) {
    const client = await relay.login({ info })
    client.send({ type: 'watchConns' })
    await client.closed()
  }
})

test('relay delivers forwarded packets of every size with their source (P-072)', async () => {
  const relay = meshRelay()
  const [meshPeer, client] = [await relay.login(MESH_PEER), await relay.login()]
  for (const size of [0, 1, 31, 32, 37, 1_400, 65_536]) {
    const data = Uint8Array.from({ length: size }, (_, at) => at * 3)
    meshPeer.send({ type: 'forwardPacket', source: stranger, destination: client.publicKey, data })
    expect(await client.message()).toEqual({ type: 'receivedPacket', source: stranger, data })
  }
  expect(relay.core.counters).toMatchObject({
    packetsForwardedIn: 7,
    packetsReceivedOther: 0,
    bytesReceived: 0,
    packetsSent: 7,
    bytesSent: 67_037,
  })
})

test('relay handles several forwarded packets in one chunk (P-001, P-072)', async () => {
  const relay = meshRelay()
  const [meshPeer, a, b] = [await relay.login(MESH_PEER), await relay.login(), await relay.login()]
  const frames = [a, b, a].map(({ publicKey }, at) =>
    encodeClientToServer({
      type: 'forwardPacket',
      source: stranger,
      destination: publicKey,
      data: Uint8Array.of(at, at, at),
    }),
  )
  meshPeer.sendBytes(Uint8Array.from(frames.flatMap(frame => [...frame])))
  expect(await a.message()).toMatchObject({ source: stranger, data: Uint8Array.of(0, 0, 0) })
  expect(await a.message()).toMatchObject({ source: stranger, data: Uint8Array.of(2, 2, 2) })
  expect(await b.message()).toMatchObject({ source: stranger, data: Uint8Array.of(1, 1, 1) })
})

test('relay omits a zero source key of a forwarded packet, and does not record it (P-051, P-072)', async () => {
  const relay = meshRelay()
  const [meshPeer, client] = [await relay.login(MESH_PEER), await relay.login()]
  const forward = (source: Uint8Array, data: Uint8Array) =>
    meshPeer.sendBytes(encodeFrame(FrameType.ForwardPacket, source, client.publicKey.bytes, data))
  const data = Uint8Array.from({ length: 50 }, (_, at) => at)
  forward(new Uint8Array(32), data)
  expect(await client.frame()).toEqual({ type: FrameType.RecvPacket, body: data })
  expect(relay.core.counters).toMatchObject({ packetsSent: 1, bytesSent: 50 })
  forward(new Uint8Array(32), disco())
  expect((await client.frame()).body).toEqual(disco())
  expect(await meshPeer.sync()).toEqual([])
  // A key is zero only if all of it is.
  for (const at of [0, 31]) {
    const source = new Uint8Array(32)
    source[at] = 1
    forward(source, data)
    const { body } = await client.frame()
    expect(body).toEqual(Uint8Array.from([...source, ...data]))
  }
})

test('relay drops a forwarded packet for an unknown key, and replies only to disco packets (P-072, P-102)', async () => {
  const relay = meshRelay()
  const meshPeer = await relay.login(MESH_PEER)
  const source = NodePrivateKey.generate().publicKey()
  for (const data of [new Uint8Array(100), disco(), disco(61)]) {
    meshPeer.send({ type: 'forwardPacket', source, destination: stranger, data })
  }
  expect(await meshPeer.sync()).toEqual([{ type: 'peerGone', peer: stranger, reason: 1 }])
  expect(relay.core.counters.dropped.unknown_dest_on_fwd).toEqual({
    disco: { packets: 1, bytes: 62 },
    other: { packets: 2, bytes: 161 },
  })
  expect(relay.core.counters.packetsForwardedIn).toBe(3)
})

test('relay closes all connections of a peer for a mesh peer (P-073)', async () => {
  const relay = meshRelay()
  const meshPeer = await relay.login(MESH_PEER)
  const privateKey = NodePrivateKey.generate()
  const [first, second, other] = [
    await relay.login({ privateKey }),
    await relay.login({ privateKey }),
    await relay.login(),
  ]
  meshPeer.send({ type: 'closePeer', peer: stranger })
  expect(await meshPeer.sync()).toEqual([])
  expect(relay.core.counters.currentConnections).toBe(4)
  meshPeer.send({ type: 'closePeer', peer: NodePublicKey.fromBytes(privateKey.publicKey().bytes) })
  await Promise.all([first.closed(), second.closed()])
  expect(await other.sync()).toEqual([])
  expect(relay.core.counters).toMatchObject({ currentConnections: 2, failures: {} })
})

test('relay closes the connection of a mesh peer that names its own key (P-073)', async () => {
  const relay = meshRelay()
  const meshPeer = await relay.login(MESH_PEER)
  meshPeer.send({ type: 'closePeer', peer: meshPeer.publicKey })
  meshPeer.packet(stranger, 'not read')
  await meshPeer.closed()
  expect(relay.core.counters).toMatchObject({ currentConnections: 0, packetsReceivedOther: 0 })
})

test('relay counts forwarded packets as traffic of the mesh peer they come from (P-072)', async () => {
  const relay = meshRelay()
  const [meshPeer, client] = [await relay.login(MESH_PEER), await relay.login()]
  for (const size of [10, 20]) {
    const data = new Uint8Array(size)
    meshPeer.send({ type: 'forwardPacket', source: stranger, destination: client.publicKey, data })
    await client.message()
  }
  const [from, to] = [...relay.core.sessions].map(({ tally }) => tally)
  expect(from).toMatchObject({ packetsReceived: 2, packetBytesReceived: 30, packetsSent: 0, packetBytesSent: 0 })
  expect(to).toMatchObject({ packetsReceived: 0, packetBytesReceived: 0, packetsSent: 2, packetBytesSent: 30 })
})

test('a forwarded packet subscribes its receiver to the departure of its source once it has left, not before (P-062, P-072)', async () => {
  const relay = meshRelay()
  const [meshPeer, client] = [await relay.login(MESH_PEER), await relay.login()]
  const tally = [...relay.core.sessions].at(-1)?.tally
  const forward = async (source: NodePublicKey) => {
    meshPeer.send({ type: 'forwardPacket', source, destination: client.publicKey, data: new Uint8Array(1) })
    await meshPeer.sync()
    await settle()
  }
  client.conn.pause()
  const [first, second] = [NodePrivateKey.generate().publicKey(), NodePrivateKey.generate().publicKey()]
  await forward(first)
  await forward(second)
  expect(tally?.senders).toBe(1)
  client.conn.resume()
  expect((await client.sync()).length).toBe(2)
  expect([tally?.senders, relay.core.seenSources.count]).toEqual([2, 2])
  client.close()
  await settle()
  expect(relay.core.seenSources.count).toBe(0)
})

test('relay counts packets that leave by a link, and disco packets apart (P-055, P-072)', async () => {
  const relay = meshRelay()
  const client = await relay.login()
  const taken: number[] = []
  const beyond = {
    local: undefined,
    takeSendPacket: (_source: unknown, _buffer: Uint8Array, start: number, end: number) => taken.push(end - start),
  }
  relay.core.addLink({ destinationFor: () => beyond }).announce(stranger)
  client.packet(stranger, disco())
  client.packet(stranger, new Uint8Array(10))
  client.packet(client.publicKey, disco())
  expect((await client.sync()).length).toBe(1)
  expect(taken).toEqual([5 + 32 + 62, 5 + 32 + 10])
  expect(relay.core.counters).toMatchObject({
    packetsForwardedOut: 2,
    packetsReceivedDisco: 2,
    packetsReceivedOther: 1,
  })
})

test.each([
  ['of another mesh', MeshKey.parse('d5'.repeat(32)), 'the mesh key is another one'],
  ['without a mesh key', undefined, 'this relay has no mesh key'],
])('relay %s says in its log who was refused as a mesh peer, once a minute (P-038)', async (_what, meshKey, reason) => {
  const warnings: unknown[] = []
  const log = { ...silentLog, warn: (...line: unknown[]) => void warnings.push(line) }
  const relay = new MemoryRelay({ log, ...(meshKey !== undefined && { meshKey }) })
  const peer = await relay.login(MESH_PEER)
  await relay.login(MESH_PEER)
  await relay.login()
  const message = 'mesh peer refused: relays of a mesh must share one key'
  expect(warnings).toEqual([[message, { logins: 1, client: peer.publicKey.shortString(), remote: REMOTE, reason }]])
})
