/** Several workers of one relay: limits, pages, events and the end of them all. */

import { expect, test } from 'vitest'
import { Readmission } from '../../src/admission/readmission.ts'
import { MeshKey } from '../../src/keys/mesh-key.ts'
import { silentLog } from '../../src/lib/log.ts'
import type { AdmissionRequest } from '../../src/server/ports.ts'
import { atRest, type MemoryPart, MemoryWorkers } from '../support/memory-workers.ts'
import type { LoginOptions, RawClient } from '../support/raw-client.ts'
import { settle } from '../support/settle.ts'
import { TestLink } from '../support/test-link.ts'

const MESH_KEY = '7a'.repeat(32)
const MESH_PEER: LoginOptions = { info: { meshKey: MESH_KEY } }
const meshKey = MeshKey.parse(MESH_KEY)

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
  await (clients[1] as RawClient).nextText()
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
  expect(await a.nextText()).toBe('hello')
  await atRest(cores)
  const core = cores.core(0)
  expect(core.isAwaited(b.publicKey.bytes, 0)).toBe(false)
  core.keyLeft(b.publicKey)
  await atRest(cores)
  expect(await a.sync()).toEqual([])
})
