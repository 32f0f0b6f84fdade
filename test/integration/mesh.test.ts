import { expect, test } from 'vitest'
import { MeshKey } from '../../src/keys/mesh-key.ts'
import { NodePrivateKey, type NodePublicKey } from '../../src/keys/node-key.ts'
import { FRAME_HEADER_LENGTH } from '../../src/protocol/constants.ts'
import { encodePeerPresent } from '../../src/protocol/encode.ts'
import type { PacketForwarder } from '../../src/server/ports.ts'
import { MemoryRelay } from '../support/memory-relay.ts'

const MESH_KEY = 'ab'.repeat(32)
const meshRelay = () => new MemoryRelay({ meshKey: MeshKey.parse(MESH_KEY) })
const loginMesh = (relay: MemoryRelay) => relay.login({ info: { meshKey: MESH_KEY } })

test('relay tells a watcher the app name of a client that gives one, and of others not (P-071, P-033)', async () => {
  const relay = meshRelay()
  const watcher = await loginMesh(relay)
  const named = await relay.login({ info: { appName: 'derphttp' } })
  watcher.send({ type: 'watchConns' })
  const flood = await watcher.sync()
  const address = { address: '192.0.2.1', port: 4001 }
  expect(flood).toEqual([
    { type: 'peerPresent', peer: watcher.publicKey, address, flags: 2 },
    { type: 'peerPresent', peer: named.publicKey, address, flags: 1, appName: 'derphttp' },
  ])
  expect(encodePeerPresent({ peer: named.publicKey, address, flags: 1 })).toHaveLength(FRAME_HEADER_LENGTH + 51)
})

test('relay that dialled itself is not told of its own clients (P-070)', async () => {
  const privateKey = NodePrivateKey.generate()
  const relay = new MemoryRelay({ privateKey, meshKey: MeshKey.parse(MESH_KEY) })
  const self = await relay.login({ privateKey, info: { meshKey: MESH_KEY } })
  self.send({ type: 'watchConns' })
  await relay.login()
  expect(await self.sync()).toEqual([])
})

test('relay hands packets for a key it does not have to a forwarder, the one known longest (P-072, P-075)', async () => {
  const relay = meshRelay()
  const forwarded: unknown[] = []
  const forwarder = (name: string): PacketForwarder => ({
    forwardPacket: (source: NodePublicKey, destination: NodePublicKey, payload: Uint8Array) =>
      forwarded.push([name, String(source), String(destination), [...payload]]),
  })
  const [first, second] = [forwarder('first'), forwarder('second')]
  const far = NodePrivateKey.generate()
  const key = far.publicKey()
  const a = await relay.login()
  const send = async (byte: number) => {
    a.packet(key, Uint8Array.of(byte))
    await a.sync()
  }
  relay.core.addForwarder(key, first)
  relay.core.addForwarder(key, second)
  await send(1)
  relay.core.removeForwarder(key, first)
  await send(2)
  const near = await relay.login({ privateKey: far })
  await send(3)
  expect(await near.messageOf('receivedPacket')).toMatchObject({ data: Uint8Array.of(3) })
  relay.core.removeForwarder(key, second)
  near.close()
  await send(4)
  expect(forwarded).toEqual([
    ['first', String(a.publicKey), String(key), [1]],
    ['second', String(a.publicKey), String(key), [2]],
  ])
  expect(relay.core.counters.packetsForwardedOut).toBe(2)
  expect(relay.core.counters.dropped.unknown_dest.other.packets).toBe(1)
})

test('relay tells who heard from a peer that its last forwarder has gone, too (P-062, P-076)', async () => {
  const relay = meshRelay()
  const sibling = await loginMesh(relay)
  const a = await relay.login()
  const far = NodePrivateKey.generate().publicKey()
  const forwarder: PacketForwarder = { forwardPacket: () => {} }
  relay.core.addForwarder(far, forwarder)
  sibling.send({ type: 'forwardPacket', source: far, destination: a.publicKey, data: Uint8Array.of(1) })
  expect(await a.messageOf('receivedPacket')).toMatchObject({ source: far })
  relay.core.removeForwarder(far, forwarder)
  expect(await a.message()).toEqual({ type: 'peerGone', peer: far, reason: 0 })
})
