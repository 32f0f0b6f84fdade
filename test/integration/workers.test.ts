/** Several workers of one relay: who is connected, and what clients are told. */

import { expect, test } from 'vitest'
import { MeshKey } from '../../src/keys/mesh-key.ts'
import { NodePrivateKey } from '../../src/keys/node-key.ts'
import { encodeClientToServer } from '../../src/protocol/encode.ts'
import type { AdmissionRequest } from '../../src/server/ports.ts'
import { atRest, type MemoryPart, type MemoryPort, MemoryWorkers } from '../support/memory-workers.ts'
import type { LoginOptions, RawClient } from '../support/raw-client.ts'
import { settle, until } from '../support/settle.ts'

const MESH_KEY = '7a'.repeat(32)
const MESH_PEER: LoginOptions = { info: { meshKey: MESH_KEY } }
const meshKey = MeshKey.parse(MESH_KEY)
const stranger = NodePrivateKey.generate().publicKey()
const textOf = (data: Uint8Array) => new TextDecoder().decode(data)

test('packets cross workers in order, with their source', async () => {
  const workers = await MemoryWorkers.start({ workers: 3 })
  const clients = await Promise.all([0, 1, 2].map(worker => workers.login(worker)))
  for (const from of clients) {
    for (const to of clients) {
      for (const n of [1, 2, 3]) from.packet(to.publicKey, `packet ${n}`)
      for (const n of [1, 2, 3]) {
        const { source, data } = await to.messageOf('receivedPacket')
        expect([source, textOf(data)]).toEqual([from.publicKey, `packet ${n}`])
      }
    }
  }
  const { relay } = await workers.coordinator.source.whole()
  expect(relay.counters).toMatchObject({ packetsSent: 27, packetsReceivedOther: 27, currentConnections: 3 })
  expect(await workers.coordinator.source.inconsistencies()).toEqual([])
})

test('a login completes once all workers route to the client (P-036)', async () => {
  const workers = await MemoryWorkers.start()
  const sender = await workers.login(0)
  workers.courier.held.add((workers.parts[0] as MemoryPart).port)
  const client = workers.connect(1)
  const login = client.login()
  await until(() => workers.core(1).sessions.size === 1, 'the client is being registered')
  await settle(20)
  expect([client.waitingFrames.length, workers.core(0).counters.logins]).toEqual([0, 1])
  workers.courier.release()
  await login
  sender.packet(client.publicKey, 'at once')
  expect(await client.nextText()).toBe('at once')
})

test('of a key on two workers the newest connection is active, then the last that wrote (P-065)', async () => {
  const workers = await MemoryWorkers.start({ workers: 3 })
  const privateKey = NodePrivateKey.generate()
  const sender = await workers.login(2)
  const shared = [await workers.login(0, { privateKey }), await workers.login(1, { privateKey })] as const
  const expectActive = async (active: 0 | 1) => {
    sender.packet(privateKey.publicKey(), `for ${active}`)
    expect(await shared[active].nextText()).toBe(`for ${active}`)
    await atRest(workers)
    expect(shared.map(({ waitingFrames }) => waitingFrames.length)).toEqual([0, 0])
  }
  await expectActive(1)
  for (const active of [0, 1, 0] as const) {
    await shared[active].sync()
    await expectActive(active)
  }
  shared[0].close()
  await atRest(workers)
  await expectActive(1)
  expect((await workers.coordinator.source.snapshot()).registry).toMatchObject({
    duplicateKeys: 0,
    duplicateConnections: 0,
    duplicateConnectionsTotal: 1,
  })
})

test('a connection that takes over its key gets a reply once all workers know (P-065)', async () => {
  const workers = await MemoryWorkers.start()
  const privateKey = NodePrivateKey.generate()
  const first = await workers.login(0, { privateKey })
  await workers.login(1, { privateKey })
  workers.courier.isHeld = true
  const answered = first.sync()
  await settle(20)
  expect(first.waitingFrames.length).toBe(0)
  workers.courier.release()
  await answered
  // Further activity changes nothing.
  workers.courier.isHeld = true
  await first.sync()
  first.packet(privateKey.publicKey(), 'to myself')
  expect(await first.nextText()).toBe('to myself')
})

/** Messages of a type that leave a port from now on. */
function posted(port: MemoryPort, isWanted: (message: { type: string; name?: string }) => boolean): () => number {
  const post = port.post.bind(port)
  let count = 0
  port.post = (message, handed) => {
    count += (message as { messages: { type: string }[] }).messages?.filter(isWanted).length ?? 0
    post(message, handed)
  }
  return () => count
}

test('thousands of frames of a key with many connections cost a few messages between workers (P-065)', async () => {
  const workers = await MemoryWorkers.start()
  const privateKey = NodePrivateKey.generate()
  const shared: RawClient[] = []
  for (let n = 0; n < 20; n++) shared.push(await workers.login(n % 2, { privateKey }))
  await atRest(workers)
  const [first, second] = workers.parts as [MemoryPart, MemoryPart]
  const notes = [first, second].map(({ port }) => posted(port, ({ name }) => name === 'activity'))
  const routes = posted(first.coordinatorPort, ({ type }) => type === 'route')
  const frames = Buffer.concat(
    Array.from({ length: 100 }, () => encodeClientToServer({ type: 'notePreferred', preferred: true })),
  )
  for (const client of shared) client.sendBytes(frames)
  await Promise.all(shared.map(client => client.sync()))
  await atRest(workers)
  const sum = notes.reduce((total, count) => total + count(), 0)
  // Each client sends twice, the last time the ping that it waits for.
  expect(sum).toBeGreaterThan(0)
  expect(sum).toBeLessThan(40)
  expect(routes()).toBeLessThan(40)

  // Whoever was last is known to be.
  const [last] = shared as [RawClient]
  await last.sync()
  const sender = await workers.login(1)
  sender.packet(privateKey.publicKey(), 'for the last')
  expect(await last.nextText()).toBe('for the last')
  for (const client of shared) client.close()
  await atRest(workers)
  const { registry, totalKeys } = await workers.coordinator.source.snapshot()
  expect([registry.duplicateConnections, totalKeys]).toEqual([0, 1])
})

test('frames of a connection that closes in the same turn cost no message between workers (P-065)', async () => {
  const workers = await MemoryWorkers.start()
  const privateKey = NodePrivateKey.generate()
  for (const worker of [0, 0, 1]) await workers.login(worker, { privateKey })
  await atRest(workers)
  const { core, port } = workers.parts[0] as MemoryPart
  const notes = posted(port, ({ name }) => name === 'activity')
  const frame = encodeClientToServer({ type: 'notePreferred', preferred: true })
  const [closes, stays] = core.sessions
  closes?.onData(frame)
  closes?.close()
  await atRest(workers)
  expect(notes()).toBe(0)
  stays?.onData(frame)
  await atRest(workers)
  expect(notes()).toBe(1)
})

test('a watcher is told of all workers’ clients before its ping is answered (P-070, P-071)', async () => {
  const workers = await MemoryWorkers.start({ meshKey })
  const before = await workers.login(0)
  const watcher = await workers.login(1, MESH_PEER)
  watcher.send({ type: 'watchConns' })
  const flood = await watcher.sync()
  expect(flood.map(message => `${message.type} ${'peer' in message && message.peer}`).toSorted()).toEqual(
    [before, watcher].map(({ publicKey }) => `peerPresent ${publicKey}`).toSorted(),
  )
  const later = await workers.login(0)
  expect(await watcher.sync()).toMatchObject([{ type: 'peerPresent', peer: later.publicKey, flags: 1 }])
  later.close()
  expect(await watcher.message()).toEqual({ type: 'peerGone', peer: later.publicKey, reason: 0 })
})

test('a receiver is told of a departure on another worker after all its packets (P-062)', async () => {
  const workers = await MemoryWorkers.start()
  const [source, receiver] = [await workers.login(0), await workers.login(1)]
  workers.courier.isHeld = true
  source.packet(receiver.publicKey, 'the first and last')
  await source.flushed()
  source.close()
  await settle()
  workers.courier.release()
  expect(await receiver.message()).toMatchObject({ type: 'receivedPacket', source: source.publicKey })
  expect(await receiver.message()).toEqual({ type: 'peerGone', peer: source.publicKey, reason: 0 })
})

test('a receiver is told immediately of a peer that left before the coordinator knew the receiver (P-062)', async () => {
  const workers = await MemoryWorkers.start()
  const privateKey = NodePrivateKey.generate()
  const [source, receiver] = [await workers.login(0, { privateKey }), await workers.login(1)]
  workers.courier.held.add((workers.parts[1] as MemoryPart).coordinatorPort)
  source.packet(receiver.publicKey, 'hello')
  expect(await receiver.nextText()).toBe('hello')
  source.close()
  await settle(20)
  workers.courier.release()
  expect(await receiver.message()).toEqual({ type: 'peerGone', peer: source.publicKey, reason: 0 })
  // Only once per connection and source.
  const again = await workers.login(0, { privateKey })
  again.packet(receiver.publicKey, 'hello again')
  await receiver.nextText()
  again.close()
  await atRest(workers)
  expect(await receiver.sync()).toEqual([])
})

test('a mesh peer closes a client of another worker, and gets a reply once it is closed (P-073)', async () => {
  const workers = await MemoryWorkers.start({ meshKey, workers: 3 })
  const privateKey = NodePrivateKey.generate()
  const shared = [await workers.login(0, { privateKey }), await workers.login(1, { privateKey })]
  const meshPeer = await workers.login(2, MESH_PEER)
  meshPeer.send({ type: 'closePeer', peer: privateKey.publicKey() })
  expect(await meshPeer.sync()).toEqual([])
  expect(workers.core(2).routes.get(privateKey.publicKey().bytes)).toBeUndefined()
  await Promise.all(shared.map(client => client.closed()))
  meshPeer.send({ type: 'closePeer', peer: stranger })
  expect(await meshPeer.sync()).toEqual([])
  expect((await workers.coordinator.source.snapshot()).counters.currentConnections).toBe(1)
})

test('the client limit applies to all workers together, except mesh peers (P-109)', async () => {
  const workers = await MemoryWorkers.start({ meshKey, maxClients: 2 })
  const [first] = [await workers.login(0), await workers.login(1)]
  for (const worker of [0, 1]) {
    const refused = workers.connect(worker)
    refused.sendBytes(await refused.greeting().then(() => refused.hello()))
    await refused.closed()
  }
  await workers.login(0, MESH_PEER)
  first.close()
  await atRest(workers)
  const { counters } = await workers.coordinator.source.snapshot()
  expect(counters).toMatchObject({ currentConnections: 2, logins: 3, failures: { ERR_DERP_RELAY_FULL: 2 } })
  expect(await workers.coordinator.source.inconsistencies()).toEqual([])
})

test('of two concurrent clients on two workers only one gets the last slot (P-109)', async () => {
  const workers = await MemoryWorkers.start({ maxClients: 1 })
  const clients = [workers.connect(0), workers.connect(1)]
  const logins = clients.map(client =>
    client
      .login()
      .then(() => 'in')
      .catch(() => 'refused'),
  )
  expect((await Promise.all(logins)).toSorted()).toEqual(['in', 'refused'])
  await atRest(workers)
  expect((await workers.coordinator.source.snapshot()).counters).toMatchObject({ currentConnections: 1, logins: 1 })
  expect(await workers.coordinator.source.inconsistencies()).toEqual([])
})

test('admission is checked once, at the coordinator, with all details (P-040)', async () => {
  const asked: AdmissionRequest[] = []
  const admission = {
    async admit(request: AdmissionRequest) {
      asked.push(request)
      if (request.token === 'broken') throw new Error('out of order')
      return request.token === 'good' ? { admit: true as const } : { admit: false as const, reason: 'a bad token' }
    },
  }
  const workers = await MemoryWorkers.start({ admission })
  const client = await workers.login(1, { token: 'good', info: { appName: 'probe' } })
  expect(asked).toMatchObject([{ clientKey: client.publicKey, token: 'good', remote: { port: 4001 } }])
  expect(asked[0]?.info.appName).toBe('probe')
  const failures: string[] = []
  workers.coordinator.events.on('connectionFailed', ({ reason }) => failures.push(reason))
  for (const token of ['bad', 'broken']) await expect(workers.login(0, { token })).rejects.toThrow('ended')
  await atRest(workers)
  expect(failures.map(text => text.replace(/\[.*\]/, '[key]'))).toEqual([
    'admit client [key]: a bad token',
    'admit client [key]: Error: out of order',
  ])
})
