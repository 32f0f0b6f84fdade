import { expect, test } from 'vitest'
import { MeshKey } from '../../src/keys/mesh-key.ts'
import { NodePrivateKey } from '../../src/keys/node-key.ts'
import { encodeClientToServer, encodeFrame } from '../../src/protocol/encode.ts'
import { FrameType } from '../../src/protocol/frame-type.ts'
import { MemoryRelay } from '../support/memory-relay.ts'
import type { RawClient } from '../support/raw-client.ts'
import { settle } from '../support/settle.ts'

const MESH_KEY = '3e'.repeat(32)

/** Numbered connections of one key, and a sender. */
async function duplicates(count: number, relay = new MemoryRelay()) {
  const privateKey = NodePrivateKey.generate()
  const sender = await relay.login()
  const clients: RawClient[] = []
  for (let n = 0; n < count; n++) clients.push(await relay.login({ privateKey }))
  /** The number of the connection that gets the key's packets. */
  const active = async () => {
    sender.packet(privateKey.publicKey(), 'who gets this')
    await sender.sync()
    await settle()
    const found = clients.map((client, at) => (client.waitingFrames.length > 0 ? at : -1)).filter(at => at >= 0)
    for (const at of found) await clients[at]?.frame()
    return found
  }
  const counters = relay.core.registry?.counters
  const counts = () => [counters?.duplicateKeys, counters?.duplicateConnections, counters?.duplicateConnectionsTotal]
  const leave = async (at: number) => {
    clients[at]?.close()
    await settle()
  }
  return { relay, sender, clients, active, counts, leave }
}

test('the newest connection of a key gets its packets, then the last that wrote (P-065)', async () => {
  const { clients, active, counts } = await duplicates(3)
  expect(await active()).toEqual([2])
  for (const at of [0, 1, 0, 2]) {
    clients[at]?.send({ type: 'notePreferred', preferred: false })
    await clients[at]?.flushed()
    await settle()
    expect(await active()).toEqual([at])
  }
  expect(counts()).toEqual([1, 3, 2])
})

test.each([
  ['a frame that is skipped', encodeFrame(0xee as FrameType, new Uint8Array(9))],
  ['the header of a frame', encodeFrame(FrameType.SendPacket, new Uint8Array(40)).subarray(0, 5)],
  ['the header of a frame that is skipped', encodeFrame(0xee as FrameType, new Uint8Array(40)).subarray(0, 5)],
])('a connection becomes active by %s (P-065)', async (_, bytes) => {
  const { clients, active } = await duplicates(2)
  clients[0]?.sendBytes(bytes)
  await clients[0]?.flushed()
  expect(await active()).toEqual([0])
})

test('a connection does not become active by less than a header (P-065)', async () => {
  const { clients, active } = await duplicates(2)
  clients[0]?.sendBytes(encodeFrame(FrameType.SendPacket, new Uint8Array(40)).subarray(0, 4))
  await clients[0]?.flushed()
  expect(await active()).toEqual([1])
})

test('a connection that closes itself by a bad frame does not become active (P-065, P-066)', async () => {
  const { clients, active } = await duplicates(3)
  clients[0]?.sendBytes(encodeFrame(FrameType.Ping, new Uint8Array(3)))
  await clients[0]?.closed()
  expect(await active()).toEqual([2])
})

test('when the active connection leaves, the previous writer takes over (P-066)', async () => {
  const { clients, active, leave, counts } = await duplicates(4)
  for (const at of [3, 1, 2]) await clients[at]?.sync()
  await leave(2)
  expect(await active()).toEqual([1])
  await leave(1)
  expect(await active()).toEqual([3])
  await leave(0)
  expect([await active(), counts()]).toEqual([[3], [0, 0, 3]])
  await leave(3)
  expect(await active()).toEqual([])
})

test('departure of a silent connection changes nothing but the counters (P-066)', async () => {
  const { active, leave, counts } = await duplicates(3)
  await leave(0)
  expect([await active(), counts()]).toEqual([[2], [1, 2, 2]])
  await leave(1)
  expect([await active(), counts()]).toEqual([[2], [0, 0, 2]])
})

test('a key that is connected twice is present until its last connection leaves (P-062, P-070, P-066)', async () => {
  const relay = new MemoryRelay({ meshKey: MeshKey.parse(MESH_KEY) })
  const { sender, clients, leave } = await duplicates(2, relay)
  const watcher = await relay.login({ info: { meshKey: MESH_KEY } })
  watcher.send({ type: 'watchConns' })
  expect(await watcher.sync()).toHaveLength(3)
  clients[0]?.packet(sender.publicKey, 'hello')
  await sender.message()
  await leave(0)
  expect([await sender.sync(), await watcher.sync()]).toEqual([[], []])
  await leave(1)
  const gone = { type: 'peerGone', peer: clients[0]?.publicKey, reason: 0 }
  expect([await sender.sync(), await watcher.sync()]).toEqual([[gone], [gone]])
})

test('the first of two connections becomes active by writing (P-065)', async () => {
  const { relay, clients, active, leave } = await duplicates(2)
  await leave(1)
  clients[0]?.packet(clients[0].publicKey, 'to myself')
  await clients[0]?.message()
  expect(await active()).toEqual([0])
  expect([...relay.core.sessions].some(session => session.isDuplicate)).toBe(false)
})

test('packets to its own key go to the sending connection, which writing makes active (P-065)', async () => {
  const { clients } = await duplicates(2)
  const [first, second] = clients as [RawClient, RawClient]
  const frame = encodeClientToServer({ type: 'sendPacket', destination: first.publicKey, data: Uint8Array.of(1) })
  first.sendBytes(frame)
  expect(await first.message()).toMatchObject({ type: 'receivedPacket' })
  second.sendBytes(frame)
  expect(await second.message()).toMatchObject({ type: 'receivedPacket' })
})
