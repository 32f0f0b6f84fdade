/** Clients and a relay core, all in memory. */

import { expect, test } from 'vitest'
import { MeshKey } from '../../src/keys/mesh-key.ts'
import { NodePrivateKey } from '../../src/keys/node-key.ts'
import { PeerGoneReason, PeerPresentFlag } from '../../src/protocol/messages.ts'
import { rejectionsOf } from '../support/rejections.ts'
import { nextMessage, TestRelay } from '../support/relay.ts'
import { settle, until } from '../support/settle.ts'

const MESH_KEY = MeshKey.parse('5a'.repeat(32))
const PING = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)

test('two clients exchange packets of every size, intact (P-050, P-051, P-052)', async () => {
  const relay = new TestRelay()
  const [a, b] = [await relay.readyClient(), await relay.readyClient()]
  for (const length of [0, 1, 31, 32, 1000, 1400, 65_535, 65_536]) {
    const data = Uint8Array.from({ length }, (_, i) => i * 7)
    await a.send(b.selfPublicKey(), data)
    expect(await b.recv()).toEqual({ type: 'receivedPacket', source: a.selfPublicKey(), data })
    await b.send(a.selfPublicKey(), data)
    expect(await a.recv()).toEqual({ type: 'receivedPacket', source: b.selfPublicKey(), data })
  }
})

test('a call with an argument of the wrong type names both, and leaves the connection as it is', async () => {
  const relay = new TestRelay()
  const client = await relay.readyClient({ meshKey: MESH_KEY })
  const key = client.selfPublicKey()
  const text = `${key}` as unknown as typeof key
  const words = 'hello' as unknown as Uint8Array
  const failed = [
    client.send(text, PING),
    client.send(key, words),
    client.forwardPacket(text, key, PING),
    client.forwardPacket(key, text, PING),
    client.closePeer(text),
    client.sendPing(words),
  ]
  const isNoKey = 'is a string, not a NodePublicKey; NodePublicKey.parse reads text'
  expect((await rejectionsOf(failed)).map(error => String(error))).toEqual([
    `TypeError: send packet: destination ${isNoKey}`,
    'TypeError: send packet: data is a string, not a Uint8Array; new TextEncoder().encode makes one',
    `TypeError: forward packet: source ${isNoKey}`,
    `TypeError: forward packet: destination ${isNoKey}`,
    `TypeError: close peer: peer ${isNoKey}`,
    'TypeError: send ping: data is a string, not a Uint8Array; new TextEncoder().encode makes one',
  ])
  const privateKey = NodePrivateKey.generate().exportText() as unknown as NodePrivateKey
  expect(() => relay.client({ privateKey })).toThrow(
    new TypeError('make client: privateKey is a string, not a NodePrivateKey; NodePrivateKey.parse reads text'),
  )
  await client.send(key, PING)
  expect(await client.recv()).toMatchObject({ type: 'receivedPacket', data: PING })
})

test('send and recv connect by themselves, and the first message is ServerInfo (P-201)', async () => {
  const relay = new TestRelay()
  const b = await relay.readyClient()
  const a = relay.client()
  expect(a.serverPublicKey()).toBeUndefined()
  await a.send(b.selfPublicKey(), PING)
  expect(await b.recv()).toMatchObject({ type: 'receivedPacket', data: PING })
  expect(await a.recv()).toMatchObject({ type: 'serverInfo' })
  expect(a.serverPublicKey()?.equals(relay.core.publicKey)).toBe(true)
})

test('for await yields all messages, and can be left and entered again', async () => {
  const relay = new TestRelay()
  const [a, b] = [await relay.readyClient(), await relay.readyClient()]
  for (let i = 0; i < 6; i++) await a.send(b.selfPublicKey(), Uint8Array.of(i))
  const seen: (number | undefined)[] = []
  for (let round = 0; round < 2; round++) {
    for await (const message of b) {
      if (message.type === 'receivedPacket') seen.push(message.data[0])
      if (seen.length % 3 === 0) break
    }
  }
  expect(seen).toEqual([0, 1, 2, 3, 4, 5])
})

test('ping resolves while a receiver runs, which does not see the Pong (P-207)', async () => {
  const relay = new TestRelay()
  const client = await relay.readyClient()
  const received = client.recv()
  await client.ping()
  await client.sendPing(PING)
  expect(await received).toEqual({ type: 'pong', payload: PING })
  expect(relay.core.counters.gotPing).toBe(2)
})

test('ping times out after 5 s or by its signal, and its Pong is then delivered as a message (P-207)', async () => {
  const relay = new TestRelay()
  const client = await relay.readyClient()
  const unanswered = client.ping()
  await settle()
  relay.clock.advance(5000)
  await expect(unanswered).rejects.toMatchObject({
    code: 'ERR_DERP_PING_TIMEOUT',
    message: 'ping relay: no pong in 5000 ms',
  })
  const controller = new AbortController()
  const givenUp = client.ping(controller.signal)
  controller.abort()
  await expect(givenUp).rejects.toMatchObject({ code: 'ERR_DERP_ABORTED' })
  expect(await client.recv()).toMatchObject({ type: 'pong' })
})

test('ping, sendPing, sendPong and localAddr do not connect (P-207, P-208)', async () => {
  const relay = new TestRelay()
  const client = relay.client()
  for (const error of await rejectionsOf([client.ping(), client.sendPing(PING), client.sendPong(PING)])) {
    expect(error).toMatchObject({ code: 'ERR_DERP_CLIENT_NOT_CONNECTED' })
  }
  expect(() => client.localAddr()).toThrow(expect.objectContaining({ code: 'ERR_DERP_CLIENT_NOT_CONNECTED' }))
  expect(relay.core.counters.accepts).toBe(0)
  await client.connect()
  expect(client.localAddr()).toEqual({ address: '192.0.2.1', port: 50_000 })
})

test('a peer that leaves is reported to clients it has sent to (P-062)', async () => {
  const relay = new TestRelay()
  const [a, b] = [await relay.readyClient(), await relay.readyClient()]
  await a.send(b.selfPublicKey(), PING)
  await nextMessage(b, 'receivedPacket')
  await a.close()
  expect(await b.recv()).toEqual({
    type: 'peerGone',
    peer: a.selfPublicKey(),
    reason: PeerGoneReason.Disconnected,
  })
})

test('notePreferred is sent once per change, and again on the next connection if true (P-054, P-210)', async () => {
  const relay = new TestRelay()
  const client = relay.client()
  const { counters } = relay.core
  await client.notePreferred(true)
  expect(counters.accepts).toBe(0)
  await nextMessage(client, 'serverInfo')
  await until(() => counters.currentHomeConnections === 1, 'the relay is the home')
  await client.notePreferred(true)
  await client.notePreferred(false)
  await until(() => counters.currentHomeConnections === 0, 'the relay is no longer the home')
  await client.notePreferred(true)
  for (const session of relay.core.sessions) session.close()
  await expect(client.recv()).rejects.toMatchObject({ code: 'ERR_DERP_CONN_CLOSED' })
  await nextMessage(client, 'serverInfo')
  await until(() => counters.currentHomeConnections === 1, 'the relay is the home again')
  expect(counters.logins).toBe(2)
})

test('a watcher is notified of all clients, on every connection, and can close them (P-070, P-073, P-210)', async () => {
  const relay = new TestRelay({ meshKey: MESH_KEY })
  const peer = await relay.readyClient()
  const watcher = relay.client({ meshKey: MESH_KEY, watchConnectionChanges: true })
  const flags = {
    [String(peer.selfPublicKey())]: PeerPresentFlag.Regular,
    [String(watcher.selfPublicKey())]: PeerPresentFlag.MeshPeer,
  }
  for (let round = 0; round < 2; round++) {
    await nextMessage(watcher, 'serverInfo')
    const present = [await nextMessage(watcher, 'peerPresent'), await nextMessage(watcher, 'peerPresent')]
    expect(Object.fromEntries(present.map(message => [String(message.peer), message.flags]))).toEqual(flags)
    if (round === 1) break
    for (const session of relay.core.sessions) if (session.canMesh) session.close()
    await expect(watcher.recv()).rejects.toMatchObject({ code: 'ERR_DERP_CONN_CLOSED' })
  }
  await watcher.closePeer(peer.selfPublicKey())
  expect(await nextMessage(watcher, 'peerGone')).toMatchObject({ peer: peer.selfPublicKey() })
  await expect(peer.recv()).rejects.toMatchObject({ code: 'ERR_DERP_CONN_CLOSED' })
})

test('forwardPacket delivers with another client as source (P-072)', async () => {
  const relay = new TestRelay({ meshKey: MESH_KEY })
  const peer = await relay.readyClient()
  const meshPeer = relay.client({ meshKey: MESH_KEY })
  const source = NodePrivateKey.generate().publicKey()
  await meshPeer.forwardPacket(source, peer.selfPublicKey(), PING)
  expect(await peer.recv()).toEqual({ type: 'receivedPacket', source, data: PING })
})

test('ClientInfo reaches the relay; later changes with the next connection (P-033)', async () => {
  const relay = new TestRelay()
  const client = await relay.readyClient({ isProber: true, canAckPings: true, appName: 'first' })
  const [first] = relay.core.sessions
  expect(first?.info).toMatchObject({ isProber: true, canAckPings: true, appName: 'first' })
  client.isProber = false
  client.appName = 'second'
  client.setCanAckPings(false)
  first?.close()
  await expect(client.recv()).rejects.toMatchObject({ code: 'ERR_DERP_CONN_CLOSED' })
  await nextMessage(client, 'serverInfo')
  const [second] = relay.core.sessions
  expect(second?.info).toMatchObject({ isProber: false, canAckPings: false, appName: 'second' })
})
