/** The end of a drain: deadline, signal, mesh peers last, and no partial logins. */

import { once } from 'node:events'
import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { MeshKey } from '../../src/keys/mesh-key.ts'
import { NodePrivateKey } from '../../src/keys/node-key.ts'
import { NodeConn } from '../../src/transport/node-conn.ts'
import { ListeningRelay } from '../support/listening-relay.ts'
import { MemoryRelay } from '../support/memory-relay.ts'
import { RawClient } from '../support/raw-client.ts'
import { exchange } from '../support/raw-http.ts'
import { settle, until } from '../support/settle.ts'

const MESH_KEY = '0123456789abcdef'.repeat(4)

test('drain never tells a client to reconnect before its connection is closed (P-093)', async () => {
  const relay = new MemoryRelay({ random: () => 0.4 })
  const clients = [await relay.login(), await relay.login(), await relay.login()]
  void relay.core.drain({ spreadMs: 3_000, tryForMs: 0 })
  const told = await Promise.all(clients.map(client => client.messageOf('serverRestarting')))
  expect(told.map(({ reconnectInMs }) => reconnectInMs)).toEqual([1_200, 1_200, 2_000])
})

test('drain cuts remaining connections at its deadline, and reports how many moved and were cut (P-174)', async () => {
  const relay = new MemoryRelay({ writeTimeoutMs: 0 })
  const [quick, stuck, sender] = [await relay.login(), await relay.login(), await relay.login()]
  stuck.conn.pause()
  sender.packet(stuck.publicKey, 'never read')
  await sender.sync()
  const draining = relay.core.drain({ spreadMs: 3_000, tryForMs: 0, deadlineMs: 5_000 })
  relay.clock.advance(4_999)
  await settle()
  expect([quick.isClosed, stuck.isClosed, sender.isClosed]).toEqual([true, false, true])
  relay.clock.advance(1)
  expect(await draining).toEqual({ told: 3, moved: 2, cut: 1 })
  expect(relay.core.counters).toMatchObject({ currentConnections: 0, packetsSent: 0 })
  expect(relay.core.counters.dropped.write_error.other.packets).toBe(1)
  expect(relay.clock.pendingTimers).toBe(0)
})

test('drain after hurry cuts all remaining connections immediately (P-174)', async () => {
  const relay = new MemoryRelay({ writeTimeoutMs: 0 })
  const clients = [await relay.login(), await relay.login(), await relay.login()]
  const hurry = new AbortController()
  const draining = relay.core.drain({ spreadMs: 9_000, tryForMs: 0, deadlineMs: 20_000, signal: hurry.signal })
  relay.clock.advance(0)
  await clients[0]?.closed()
  hurry.abort()
  expect(await draining).toEqual({ told: 3, moved: 1, cut: 2 })
  for (const client of clients) await client.closed()
  expect(relay.clock.pendingTimers).toBe(0)
  expect(await relay.core.drain({ spreadMs: 1, tryForMs: 0, signal: hurry.signal })).toEqual({
    told: 0,
    moved: 0,
    cut: 0,
  })
})

test('drain that begins in a hurry cuts clients and mesh peers at once (P-174)', async () => {
  const relay = new MemoryRelay({ meshKey: MeshKey.parse(MESH_KEY) })
  const connections = [await relay.login(), await relay.login(), await relay.login({ info: { meshKey: MESH_KEY } })]
  // Nothing that would be written first holds it up.
  for (const { conn } of connections) conn.pause()
  const draining = relay.core.drain({ spreadMs: 9_000, tryForMs: 0, signal: AbortSignal.abort() })
  await Promise.all(connections.map(client => client.closed()))
  expect(await draining).toEqual({ told: 3, moved: 0, cut: 3 })
  expect(relay.core.counters.currentConnections).toBe(0)
})

test('drain tells mesh peers to reconnect when the last client has left (P-093, P-174)', async () => {
  const relay = new MemoryRelay({ meshKey: MeshKey.parse(MESH_KEY) })
  const meshPeer = await relay.login({ info: { meshKey: MESH_KEY } })
  await relay.login()
  const draining = relay.core.drain({ spreadMs: 2_000, tryForMs: 9_000 })
  const told = { type: 'serverRestarting', reconnectInMs: 2_000, tryForMs: 9_000 }
  expect(await meshPeer.message()).toEqual(told)
  relay.clock.advance(2_000)
  expect(await draining).toMatchObject({ told: 2 })
})

test('drain keeps the process alive until each client has had its time (P-174)', async () => {
  const relay = new MemoryRelay()
  const clients = [await relay.login(), await relay.login()]
  const holding: number[] = []
  const after = relay.clock.after.bind(relay.clock)
  relay.clock.after = (delayMs: number, fn: () => void, holdsProcess = false) => {
    if (holdsProcess) holding.push(delayMs)
    return after(delayMs, fn)
  }
  const draining = relay.core.drain({ spreadMs: 2_000, tryForMs: 0 })
  expect(holding).toEqual([0, 1_000])
  clients[1]?.close()
  relay.clock.advance(1_000)
  expect(await draining).toEqual({ told: 2, moved: 2, cut: 0 })
})

test('drain disconnects mesh peers after the last client, as they deliver packets to clients (P-072, P-174)', async () => {
  const relay = new MemoryRelay({ meshKey: MeshKey.parse(MESH_KEY) })
  const meshPeer = await relay.login({ info: { meshKey: MESH_KEY } })
  const clients = [await relay.login(), await relay.login()]
  const draining = relay.core.drain({ spreadMs: 2_000, tryForMs: 0 })
  relay.clock.advance(0)
  await clients[0]?.closed()
  const [, last] = clients
  if (last === undefined) throw new Error('no client')
  meshPeer.send({
    type: 'forwardPacket',
    source: meshPeer.publicKey,
    destination: last.publicKey,
    data: Uint8Array.of(7),
  })
  expect(await last.messageOf('receivedPacket')).toMatchObject({ data: Uint8Array.of(7) })
  expect(meshPeer.isClosed).toBe(false)
  relay.clock.advance(1_000)
  await Promise.all([last.closed(), meshPeer.closed()])
  expect(await draining).toEqual({ told: 3, moved: 3, cut: 0 })
})

test('drain counts packets forwarded by a mesh peer before it noticed the close, as the mesh peer does (P-072, P-174)', async () => {
  await using listening = await ListeningRelay.start({ meshKey: MeshKey.parse(MESH_KEY) })
  const { core } = listening.relay
  // Half open, so that data can still be sent after the relay's FIN.
  const socket = connect({ port: listening.port, host: '127.0.0.1', allowHalfOpen: true })
  const upgrade = 'GET /derp HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: DERP\r\n\r\n'
  const { body } = await exchange(socket, upgrade)
  const meshPeer = await RawClient.login(new NodeConn(socket, body), { info: { meshKey: MESH_KEY } })
  socket.removeAllListeners('end')
  const ended = once(socket, 'end')
  const draining = core.drain({ spreadMs: 0, tryForMs: 0 })
  await ended
  const destination = NodePrivateKey.generate().publicKey()
  for (const data of [Uint8Array.of(1), Uint8Array.of(2, 3)]) {
    meshPeer.send({ type: 'forwardPacket', source: meshPeer.publicKey, destination, data })
  }
  meshPeer.packet(destination, 'not taken any more')
  await meshPeer.flushed()
  socket.end()
  expect(await draining).toEqual({ told: 1, moved: 1, cut: 0 })
  expect(core.counters).toMatchObject({ packetsForwardedIn: 2, packetsReceivedOther: 0 })
  expect(core.counters.dropped.unknown_dest_on_fwd.other).toEqual({ packets: 2, bytes: 3 })
})

test('drain closes a client under constant traffic: it accepts no more packets, and counts them (P-102, P-174)', async () => {
  const relay = new MemoryRelay()
  const [busy, sender] = [await relay.login(), await relay.login()]
  busy.conn.pause()
  for (let n = 0; n < 3; n++) {
    sender.packet(busy.publicKey, Uint8Array.of(n))
    await sender.sync()
  }
  const draining = relay.core.drain({ spreadMs: 1_000, tryForMs: 0 })
  relay.clock.advance(0)
  await settle()
  for (let n = 0; n < 4; n++) sender.packet(busy.publicKey, Uint8Array.of(9))
  await sender.sync()
  busy.conn.resume()
  await busy.closed()
  relay.clock.advance(500)
  expect(await draining).toMatchObject({ moved: 2 })
  const { counters } = relay.core
  expect([counters.packetsReceivedOther, counters.packetsSent]).toEqual([7, 3])
  expect(counters.dropped.gone_disconnected.other.packets).toBe(4)
})

test('drain removes a session that is being registered (P-036, P-174)', async () => {
  const relay = new MemoryRelay()
  const { directory } = relay.core
  const registering = Promise.withResolvers<void>()
  const register = directory.register.bind(directory)
  // As with several workers: the reply comes later.
  directory.register = async session => {
    await register(session)
    await registering.promise
  }
  const client = relay.connect()
  const login = client.login().catch(() => 'refused')
  await until(() => relay.core.sessions.size === 1, 'the session is being registered')
  const draining = relay.core.drain({ spreadMs: 1_000, tryForMs: 0 })
  expect(relay.core.sessions.size).toBe(0)
  registering.resolve()
  expect(await draining).toEqual({ told: 0, moved: 0, cut: 0 })
  expect(await login).toBe('refused')
  await client.closed()
  expect(relay.core.routes.get(client.publicKey.bytes)).toBeUndefined()
  expect(relay.core.registry?.inconsistencies(relay.core.counters.currentConnections)).toEqual([])
})
