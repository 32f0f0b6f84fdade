/** Several workers of one relay: each packet has one outcome, whatever becomes of a worker. */

import { expect, test } from 'vitest'
import { MeshKey } from '../../src/keys/mesh-key.ts'
import { NodePrivateKey, type NodePublicKey } from '../../src/keys/node-key.ts'
import { MAX_UNTAKEN_BYTES } from '../../src/workers/link/packet-link.ts'
import { atRest, MemoryWorkers } from '../support/memory-workers.ts'
import type { LoginOptions } from '../support/raw-client.ts'
import { settle, until } from '../support/settle.ts'
import { TestLink } from '../support/test-link.ts'

const MESH_KEY = '7a'.repeat(32)
const MESH_PEER: LoginOptions = { info: { meshKey: MESH_KEY } }
const meshKey = MeshKey.parse(MESH_KEY)
const stranger = NodePrivateKey.generate().publicKey()

/** Packets that came in and have no outcome. */
async function unaccounted({ coordinator }: MemoryWorkers): Promise<number> {
  const { counters } = await coordinator.source.snapshot()
  const dropped = Object.values(counters.dropped).reduce(
    (sum, { disco, other }) => sum + disco.packets + other.packets,
    0,
  )
  const { packetsReceivedDisco, packetsReceivedOther, packetsForwardedIn, packetsSent, packetsForwardedOut } = counters
  return packetsReceivedDisco + packetsReceivedOther + packetsForwardedIn - packetsSent - packetsForwardedOut - dropped
}

test('packets for a client of another relay go over the coordinator’s link (P-072, P-075)', async () => {
  const workers = await MemoryWorkers.start()
  const client = await workers.login(1)
  const link = new TestLink(workers.coordinator)
  link.routes.announce(stranger)
  await atRest(workers)
  client.packet(stranger, 'far away')
  await until(() => link.packets.length === 1, 'the packet was forwarded')
  expect(link.packets).toEqual([{ source: client.publicKey, destination: stranger, text: 'far away' }])
  workers.courier.isHeld = true
  client.packet(stranger, 'too late')
  await client.sync()
  link.routes.withdraw(stranger)
  workers.courier.release()
  await atRest(workers)
  const { counters } = await workers.coordinator.source.snapshot()
  expect(counters.packetsForwardedOut).toBe(1)
  expect(counters.dropped.unknown_dest.other).toEqual({ packets: 1, bytes: 8 })
  expect(await unaccounted(workers)).toBe(0)
})

test('packets from a mesh peer reach clients of all workers, with and without a source (P-051, P-072)', async () => {
  const workers = await MemoryWorkers.start({ meshKey })
  const [meshPeer, client] = [await workers.login(0, MESH_PEER), await workers.login(1)]
  const nobody = { bytes: new Uint8Array(32) } as NodePublicKey
  meshPeer.send({ type: 'forwardPacket', source: stranger, destination: client.publicKey, data: Uint8Array.of(1) })
  expect(await client.message()).toMatchObject({ type: 'receivedPacket', source: stranger })
  meshPeer.send({ type: 'forwardPacket', source: nobody, destination: client.publicKey, data: new Uint8Array(40) })
  expect((await client.frame()).body).toHaveLength(40)
  const { counters } = await workers.coordinator.source.snapshot()
  expect(counters).toMatchObject({ packetsForwardedIn: 2, packetsSent: 2, bytesSent: 41 })
})

test('a crashed worker loses only its own clients', async () => {
  const workers = await MemoryWorkers.start({ workers: 3, meshKey })
  const [gone, receiver, watcher] = [await workers.login(0), await workers.login(1), await workers.login(2, MESH_PEER)]
  watcher.send({ type: 'watchConns' })
  await watcher.sync()
  gone.packet(receiver.publicKey, 'before the end')
  expect(await receiver.nextText()).toBe('before the end')
  await workers.coordinator.source.snapshot()
  workers.crash(0)
  const left = { type: 'peerGone', peer: gone.publicKey, reason: 0 }
  expect([await receiver.message(), await watcher.message()]).toEqual([left, left])
  const { counters, localKeys } = await workers.coordinator.source.snapshot()
  expect(localKeys).toBe(2)
  expect(counters).toMatchObject({ packetsReceivedOther: 1, logins: 3, accepts: 3, currentConnections: 2 })
  await workers.addWorker()
  const back = await workers.login(2)
  back.packet(receiver.publicKey, 'a new one')
  receiver.packet(back.publicKey, 'the same')
  expect([await receiver.nextText(), await back.nextText()]).toEqual(['a new one', 'the same'])
  expect(await workers.coordinator.source.inconsistencies()).toEqual([])
})

test('each packet has one outcome although a worker crashes: those it sent on, took and still held (P-102)', async () => {
  const workers = await MemoryWorkers.start()
  const [gone, slow, receiver] = [await workers.login(0), await workers.login(0), await workers.login(1)]
  for (const text of ['one', 'two']) gone.packet(receiver.publicKey, text)
  expect([await receiver.nextText(), await receiver.nextText()]).toEqual(['one', 'two'])
  slow.conn.pause()
  for (let n = 0; n < 100; n++) receiver.packet(slow.publicKey, new Uint8Array(10_000))
  await receiver.sync()
  await atRest(workers)
  expect(workers.core(0).counters.packetsSent).toBeLessThan(100)
  workers.crash(0)
  await atRest(workers)
  expect(await unaccounted(workers)).toBe(0)
  const { counters } = await workers.coordinator.source.snapshot()
  expect(counters).toMatchObject({ packetsReceivedOther: 102 })
})

test('each packet has one outcome although one worker after the other crashes, with packets on their way (P-102)', async () => {
  const workers = await MemoryWorkers.start({ workers: 3 })
  const [first, second, third] = [await workers.login(0), await workers.login(1), await workers.login(2)]
  workers.courier.isHeld = true
  second.packet(first.publicKey, 'to one that is gone')
  first.packet(third.publicKey, 'from one that is gone')
  await Promise.all([first.sync(), second.sync()])
  workers.crash(0)
  second.packet(third.publicKey, 'on')
  await second.sync()
  workers.courier.release()
  await atRest(workers)
  workers.crash(0)
  await atRest(workers)
  expect(await unaccounted(workers)).toBe(0)
})

test('packets that a crashed worker has not received are counted as dropped (P-102)', async () => {
  const workers = await MemoryWorkers.start()
  const [source, gone] = [await workers.login(0), await workers.login(1)]
  workers.courier.isHeld = true
  source.packet(gone.publicKey, 'lost')
  await source.sync()
  workers.crash(1)
  source.packet(gone.publicKey, 'lost too')
  await source.sync()
  workers.courier.release()
  await atRest(workers)
  expect(workers.core(0).counters.dropped.gone_disconnected.other).toEqual({ packets: 2, bytes: 12 })
})

test('packets for a session that has ended are counted as dropped (P-102)', async () => {
  const workers = await MemoryWorkers.start()
  const [source, gone] = [await workers.login(0), await workers.login(1)]
  workers.courier.isHeld = true
  source.packet(gone.publicKey, 'too late')
  await source.sync()
  gone.close()
  await settle()
  workers.courier.release()
  await atRest(workers)
  expect(workers.core(1).counters.dropped.gone_disconnected.other).toEqual({ packets: 1, bytes: 8 })
})

test('a stalled worker is sent a bounded amount, and the rest is dropped (P-102)', async () => {
  const workers = await MemoryWorkers.start()
  const [source, slow] = [await workers.login(0), await workers.login(1)]
  const frame = 60_037
  const fits = Math.floor(MAX_UNTAKEN_BYTES / frame)
  workers.courier.isHeld = true
  for (let n = 0; n < fits + 3; n++) source.packet(slow.publicKey, new Uint8Array(60_000))
  await source.sync()
  const dropped = () => workers.core(0).counters.dropped.worker_behind.other
  expect(dropped()).toEqual({ packets: 3, bytes: 180_000 })
  workers.courier.release()
  await atRest(workers)
  source.packet(slow.publicKey, 'again')
  await source.sync()
  expect(dropped().packets).toBe(3)
})
