import { expect, test } from 'vitest'
import { Readmission } from '../../src/admission/readmission.ts'
import { MeshKey } from '../../src/keys/mesh-key.ts'
import { NodePrivateKey, type NodePublicKey } from '../../src/keys/node-key.ts'
import { silentLog } from '../../src/lib/log.ts'
import { encodeClientToServer } from '../../src/protocol/encode.ts'
import type { AdmissionRequest } from '../../src/server/ports.ts'
import { MAX_UNTAKEN_BYTES } from '../../src/workers/link/packet-link.ts'
import { atRest, type MemoryPart, type MemoryPort, MemoryWorkers } from '../support/memory-workers.ts'
import type { LoginOptions, RawClient } from '../support/raw-client.ts'
import { settle, until } from '../support/settle.ts'
import { TestLink } from '../support/test-link.ts'

const MESH_KEY = '7a'.repeat(32)
const MESH_PEER: LoginOptions = { info: { meshKey: MESH_KEY } }
const meshKey = MeshKey.parse(MESH_KEY)
const stranger = NodePrivateKey.generate().publicKey()
const textOf = (data: Uint8Array) => new TextDecoder().decode(data)

/** The text of the next packet. */
async function nextText(client: RawClient): Promise<string> {
  return textOf((await client.messageOf('receivedPacket')).data)
}

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
  expect(await nextText(client)).toBe('at once')
})

test('of a key on two workers the newest connection is active, then the last that wrote (P-065)', async () => {
  const workers = await MemoryWorkers.start({ workers: 3 })
  const privateKey = NodePrivateKey.generate()
  const sender = await workers.login(2)
  const shared = [await workers.login(0, { privateKey }), await workers.login(1, { privateKey })] as const
  const expectActive = async (active: 0 | 1) => {
    sender.packet(privateKey.publicKey(), `for ${active}`)
    expect(await nextText(shared[active])).toBe(`for ${active}`)
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
  expect(await nextText(first)).toBe('to myself')
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
  expect(await nextText(last)).toBe('for the last')
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
  expect(await nextText(receiver)).toBe('hello')
  source.close()
  await settle(20)
  workers.courier.release()
  expect(await receiver.message()).toEqual({ type: 'peerGone', peer: source.publicKey, reason: 0 })
  // Only once per connection and source.
  const again = await workers.login(0, { privateKey })
  again.packet(receiver.publicKey, 'hello again')
  await nextText(receiver)
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
  expect(await nextText(receiver)).toBe('before the end')
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
  expect([await nextText(receiver), await nextText(back)]).toEqual(['a new one', 'the same'])
  expect(await workers.coordinator.source.inconsistencies()).toEqual([])
})

test('each packet has one outcome although a worker crashes: those it sent on, took and still held (P-102)', async () => {
  const workers = await MemoryWorkers.start()
  const [gone, slow, receiver] = [await workers.login(0), await workers.login(0), await workers.login(1)]
  for (const text of ['one', 'two']) gone.packet(receiver.publicKey, text)
  expect([await nextText(receiver), await nextText(receiver)]).toEqual(['one', 'two'])
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

test('the rate limit is sent to all workers, and to later ones (P-103)', async () => {
  const workers = await MemoryWorkers.start({ rateLimit: { bytesPerSecond: 1_000, burstBytes: 2_000 } })
  expect(workers.parts.map(({ core }) => core.rateLimit?.bytesPerSecond)).toEqual([1_000, 1_000])
  workers.coordinator.rateLimit = { bytesPerSecond: 5_000, burstBytes: 5_000 }
  await workers.addWorker()
  expect(workers.parts.map(({ core }) => core.rateLimit?.bytesPerSecond)).toEqual([5_000, 5_000, 5_000])
  expect((await workers.coordinator.source.snapshot()).rateLimit?.bytesPerSecond).toBe(5_000)
})

test('pages of any worker show the clients of all, in one order', async () => {
  const workers = await MemoryWorkers.start()
  const clients: RawClient[] = []
  for (const worker of [1, 0, 0, 1]) clients.push(await workers.login(worker))
  clients[0]?.packet((clients[1] as RawClient).publicKey, 'some bytes')
  await nextText(clients[1] as RawClient)
  const { source, metrics } = (workers.parts[1] as MemoryPart).part
  const keys = clients.map(({ publicKey }) => publicKey.toString())
  const all = { filter: { kind: 'all' }, apps: undefined, isDescending: false, limit: 3 } as const
  const byPackets = await source.clients({ ...all, sort: 'rxpkts', isDescending: true, after: undefined })
  expect(byPackets).toMatchObject({ conns: 4, keys: 4, remaining: 1 })
  expect(byPackets.clients[0]?.details).toMatchObject({ key: keys[0], rxPkts: 1, rxBytes: 10 })
  const byKey = await source.clients({ ...all, sort: 'key', after: undefined })
  const [last] = byKey.clients.slice(-1)
  const after = { value: last?.value ?? '', connNum: last?.details.connNum }
  const rest = await source.clients({ ...all, sort: 'key', after })
  const shown = [...byKey.clients, ...rest.clients].map(({ details }) => details)
  expect(shown.map(({ key }) => key)).toEqual(keys.toSorted())
  expect(new Set(shown.map(({ connNum }) => connNum)).size).toBe(4)
  expect(rest.remaining).toBe(0)
  const traffic = await source.traffic()
  expect(new Set(traffic.map(({ id }) => id)).size).toBe(4)
  expect(traffic.map(({ key }) => key).toSorted()).toEqual(keys.toSorted())
  const { relay, http } = await metrics()
  expect([relay.counters.loginMs.count, relay.localKeys, http.websocketAccepts]).toEqual([4, 4, 0])
  expect(relay.counters.loginMs.cumulative().at(-1)).toEqual({ le: '+Inf', count: 4 })
  expect((await source.snapshot()).counters.packetsSent).toBe(1)
  expect(await source.inconsistencies()).toEqual([])
})

test('an unresponsive worker is shown in its last known state', async () => {
  const workers = await MemoryWorkers.start()
  await Promise.all([workers.login(0), workers.login(1)])
  await workers.coordinator.source.snapshot()
  workers.courier.isHeld = true
  const snapshot = workers.coordinator.source.snapshot()
  await settle()
  workers.clock.advance(2_000)
  expect((await snapshot).counters.logins).toBe(2)
})

test('drain closes the clients of all workers first, then mesh peers (P-093, P-174)', async () => {
  const workers = await MemoryWorkers.start({ meshKey })
  const ends: string[] = []
  const named = async (name: string, client: Promise<RawClient>) => {
    const { closed } = await client.then(one => ({ closed: one.closed() }))
    void closed.then(() => ends.push(name))
  }
  await named('meshPeer', workers.login(0, MESH_PEER))
  await named('first', workers.login(1))
  await named('second', workers.login(1))
  const draining = workers.coordinator.drain({ spreadMs: 1_000, tryForMs: 10_000 })
  await atRest(workers)
  workers.clock.advance(0)
  await atRest(workers)
  expect(ends).toEqual(['first'])
  workers.clock.advance(500)
  await atRest(workers)
  expect(ends).toEqual(['first', 'second', 'meshPeer'])
  expect(await draining).toEqual({ told: 3, moved: 3, cut: 0 })
})

test('drain can be cut short, and ends even if a worker crashes', async () => {
  const workers = await MemoryWorkers.start({ workers: 3, meshKey })
  await Promise.all([workers.login(0), workers.login(1), workers.login(2, MESH_PEER)])
  const hurry = new AbortController()
  const draining = workers.coordinator.drain({ spreadMs: 60_000, tryForMs: 0, signal: hurry.signal })
  await settle()
  workers.crash(0)
  hurry.abort()
  await atRest(workers)
  expect((await draining).told).toBe(3)
})

test('events of all workers are emitted at the coordinator', async () => {
  const workers = await MemoryWorkers.start()
  const heard: string[] = []
  const { events } = workers.coordinator
  events.on('clientConnected', ({ key }) => heard.push(`connected ${key.shortString()}`))
  events.on('clientDisconnected', ({ key }) => heard.push(`disconnected ${key.shortString()}`))
  const client = await workers.login(1)
  client.close()
  await atRest(workers)
  const name = client.publicKey.shortString()
  expect(heard).toEqual([`connected ${name}`, `disconnected ${name}`])
})

test('clients of all workers are re-checked when the rules change (P-040)', async () => {
  const workers = await MemoryWorkers.start({ meshKey })
  const clients = [await workers.login(0, { token: 'old' }), await workers.login(1, { token: 'new' })] as const
  await workers.login(1, MESH_PEER)
  const gate = {
    admit: async ({ token }: AdmissionRequest) =>
      token === 'new' ? { admit: true as const } : { admit: false as const, reason: 'an old token' },
  }
  await new Readmission(() => workers.coordinator.members, gate, silentLog).run()
  await clients[0].closed()
  await atRest(workers)
  expect([clients[1].isClosed, workers.coordinator.connections]).toEqual([false, 2])
})

test('the coordinator closes a client on any worker on request', async () => {
  const workers = await MemoryWorkers.start()
  const client = await workers.login(1)
  await workers.coordinator.closePeer(client.publicKey)
  await client.closed()
  expect(workers.coordinator.connections).toBe(0)
})

test('the coordinator stops all workers', async () => {
  const workers = await MemoryWorkers.start()
  const client = await workers.login(0)
  workers.coordinator.close()
  await Promise.all(workers.parts.map(({ part }) => part.closed))
  await client.closed()
})

test('a worker’s relay has no links of its own', async () => {
  const workers = await MemoryWorkers.start()
  expect(() => new TestLink(workers.core(0))).toThrow(TypeError)
})

test('a worker knows nothing of who waits for a key to leave: its coordinator does (P-062)', async () => {
  const cores = await MemoryWorkers.start()
  const [a, b] = [await cores.login(0), await cores.login(1)]
  b.packet(a.publicKey, 'hello')
  expect(await nextText(a)).toBe('hello')
  await atRest(cores)
  const core = cores.core(0)
  expect(core.isAwaited(b.publicKey.bytes, 0)).toBe(false)
  core.keyLeft(b.publicKey)
  await atRest(cores)
  expect(await a.sync()).toEqual([])
})
