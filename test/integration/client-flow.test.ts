/** Automatic behaviour of a client: pacing, replies to pings, health reports. */

import { getEventListeners } from 'node:events'
import { expect, test } from 'vitest'
import { Client } from '../../src/client/client.ts'
import { ErrClientClosed } from '../../src/client/link-keeper.ts'
import type { ClientOptions } from '../../src/client/options.ts'
import type { DialRequest } from '../../src/client/ports.ts'
import { NodePrivateKey } from '../../src/keys/node-key.ts'
import { encodeServerToClient } from '../../src/protocol/encode.ts'
import { encodeGreeting } from '../../src/protocol/login.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { rejectionsOf } from '../support/rejections.ts'
import { MemoryTransport, nextMessage, TestRelay, testAgreement } from '../support/relay.ts'
import { type ScriptedRelay, scriptedMemoryRelay } from '../support/scripted-relay.ts'
import { settle, until } from '../support/settle.ts'

const PEER = NodePrivateKey.generate().publicKey()
const PING = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)

/** A client with scripted relays, which have sent their greeting. */
function scripted(options: Partial<ClientOptions> = {}) {
  const relays: ScriptedRelay[] = []
  const transport = new MemoryTransport(() => {
    const { relay, clientConn } = scriptedMemoryRelay()
    relay.greet()
    relays.push(relay)
    return clientConn
  })
  const clock = new FakeClock()
  const all = { transport, agreement: testAgreement, clock, ...options }
  const client = new Client(NodePrivateKey.generate(), 'http://relay.test/derp', all)
  const relay = () => relays.at(-1) as ScriptedRelay
  return { client, clock, relay, relays }
}

function recordingTracker() {
  const told: (boolean | string)[] = []
  const tracker = {
    setConnected: (connected: boolean) => told.push(connected),
    setProblem: (problem: string | undefined) => told.push(problem ?? 'well'),
  }
  return { told, tracker }
}

test('send is paced by the limits in ServerInfo, and drops nothing (P-034, P-211)', async () => {
  // 37 bytes of frame and key, 63 of payload.
  const announcedLimits = { tokenBucketBytesPerSecond: 1_000, tokenBucketBytesBurst: 300 }
  const relay = new TestRelay({ announcedLimits })
  const [sender, receiver] = [await relay.readyClient(), await relay.readyClient()]
  let sent = 0
  const sending = Array.from({ length: 10 }, (_, i) =>
    sender.send(receiver.selfPublicKey(), new Uint8Array(63).fill(i)).then(() => sent++),
  )
  await settle()
  expect(sent).toBe(3)
  relay.clock.advance(500)
  await settle()
  expect(sent).toBe(8)
  relay.clock.advance(200)
  await Promise.all(sending)
  for (let i = 0; i < 10; i++) expect((await nextMessage(receiver, 'receivedPacket')).data[0]).toBe(i)
})

test('a paced send ends with its signal, and with the client (P-211)', async () => {
  const announcedLimits = { tokenBucketBytesPerSecond: 1, tokenBucketBytesBurst: 100 }
  const clock = new FakeClock()
  const relay = new TestRelay({ announcedLimits })
  const client = await relay.readyClient({ clock })
  await client.send(PEER, new Uint8Array(63))
  const controller = new AbortController()
  const given = client.send(PEER, new Uint8Array(63), controller.signal)
  const waiting = client.send(PEER, new Uint8Array(63))
  controller.abort()
  await expect(given).rejects.toMatchObject({ code: 'ERR_DERP_ABORTED' })
  await client.close()
  await expect(waiting).rejects.toMatchObject({ code: ErrClientClosed })
  expect(clock.pendingTimers).toBe(0)
})

test('send copies its bytes, which may be overwritten while it connects (P-201, P-203)', async () => {
  const relay = new TestRelay()
  const [client, peer] = [relay.client(), await relay.readyClient()]
  const data = Uint8Array.of(1, 2, 3)
  const sent = [0, 1].map(() => client.send(peer.selfPublicKey(), data))
  data.fill(9)
  await Promise.all(sent)
  for (let i = 0; i < 2; i++) expect(await peer.recv()).toMatchObject({ data: Uint8Array.of(1, 2, 3) })
})

test('a new connection has no limits until ServerInfo sets them (P-211)', async () => {
  const { client, relay, clock } = scripted()
  await client.connect()
  await relay().hello()
  relay().send(relay().serverInfo({ tokenBucketBytesPerSecond: 1, tokenBucketBytesBurst: 1 }))
  await nextMessage(client, 'serverInfo')
  await client.send(PEER, new Uint8Array(100))
  const waiting = client.send(PEER, new Uint8Array(100))
  relay().conn.destroy()
  await expect(waiting).rejects.toMatchObject({ code: 'ERR_DERP_CONN_CLOSED' })
  for (let i = 0; i < 3; i++) await client.send(PEER, new Uint8Array(100))
  await client.close()
  expect(clock.pendingTimers).toBe(0)
})

test('autoPong answers the relay’s pings, announces it at login, and still delivers them (P-095)', async () => {
  const relay = new TestRelay({ pingClientsMs: 1_000 })
  const client = await relay.readyClient({ autoPong: true })
  relay.clock.advance(1_000)
  expect((await nextMessage(client, 'ping')).payload).toHaveLength(8)
  await until(() => relay.core.counters.clientRoundTripMs.count === 1, 'the pong has arrived')
})

test('without autoPong the caller answers pings (P-091, P-095)', async () => {
  const { client, relay } = scripted()
  await client.connect()
  relay().say({ type: 'ping', payload: PING })
  expect(await client.recv()).toMatchObject({ type: 'ping' })
  await settle()
  expect(relay().frames).toEqual([])
  expect((await relay().hello()).info.canAckPings).toBe(false)
})

test('autoPong queues at most one Pong for a relay that does not read (P-091)', async () => {
  const { client, relay } = scripted({ autoPong: true })
  await client.connect()
  await relay().hello()
  relay().conn.pause()
  for (let i = 0; i < 100; i++) relay().send(encodeServerToClient({ type: 'ping', payload: PING.with(0, i) }))
  for (let i = 0; i < 100; i++) await nextMessage(client, 'ping')
  relay().conn.resume()
  await until(() => relay().frames.length > 0, 'a pong has arrived')
  await settle()
  expect(relay().frames).toEqual([{ type: 'pong', payload: PING.with(0, 0) }])
  relay().say({ type: 'ping', payload: PING })
  await until(() => relay().frames.length === 2, 'the next ping is answered')
})

test('healthTracker is notified of connections and problems immediately, even without a recv call (P-092)', async () => {
  const { told, tracker } = recordingTracker()
  const { client, relay } = scripted({ healthTracker: tracker })
  await client.connect()
  relay().say({ type: 'health', problem: 'duplicate' }, { type: 'health', problem: '' })
  await until(() => told.length === 3, 'the tracker was notified')
  expect(await client.recv()).toEqual({ type: 'health', problem: 'duplicate' })
  relay().conn.destroy()
  await until(() => told.length === 4, 'the tracker saw the end')
  await expect(nextMessage(client, 'keepAlive')).rejects.toMatchObject({ code: 'ERR_DERP_CONN_CLOSED' })
  await client.connect()
  await client.close()
  expect(told).toEqual([true, 'duplicate', 'well', false, true, false])
})

test('healthTracker is not notified of failed attempts', async () => {
  const { told, tracker } = recordingTracker()
  const { client, relay, clock } = scripted({
    healthTracker: tracker,
    transport: { dial: async () => Promise.reject() },
  })
  await expect(client.connect()).rejects.toMatchObject({ code: 'ERR_DERP_DIAL_FAILED' })
  expect(told).toEqual([])
  expect(relay()).toBeUndefined()
  expect(clock.pendingTimers).toBe(0)
})

test('healthTracker is not notified of a connection that was closed while being established', async () => {
  const { told, tracker } = recordingTracker()
  const transport = new MemoryTransport(() => {
    const { relay, clientConn } = scriptedMemoryRelay()
    // A frame of 4 GiB, right after the greeting.
    relay.send(encodeGreeting(relay.privateKey.publicKey()), Uint8Array.of(5, 255, 255, 255, 255))
    return clientConn
  })
  const { client } = scripted({ healthTracker: tracker, transport })
  await client.connect()
  await expect(client.recv()).rejects.toMatchObject({ code: 'ERR_DERP_FRAME_TOO_LONG' })
  expect(told).toEqual([])
})

test('a relay with health frames reports a key that is connected twice (P-065, P-092)', async () => {
  const { told, tracker } = recordingTracker()
  const relay = new TestRelay({ tellHealth: true })
  const privateKey = NodePrivateKey.generate()
  const first = await relay.readyClient({ privateKey, healthTracker: tracker })
  const second = await relay.readyClient({ privateKey })
  expect(await nextMessage(first, 'health')).toMatchObject({ problem: expect.stringContaining('more than once') })
  await second.close()
  expect(await nextMessage(first, 'health')).toEqual({ type: 'health', problem: '' })
  expect(told).toEqual([true, expect.stringContaining('more than once'), 'well'])
})

test('baseContext is called for each attempt, and its abort ends only that one (P-202)', async () => {
  const controllers: AbortController[] = []
  const baseContext = () => {
    const controller = new AbortController()
    controllers.push(controller)
    return controller.signal
  }
  const signals: AbortSignal[] = []
  const relay = new TestRelay()
  const transport = {
    dial: async (request: DialRequest) => {
      signals.push(request.signal)
      return signals.length === 1 ? Promise.withResolvers<never>().promise : { conn: relay.connect() }
    },
  }
  const client = relay.client({ transport, baseContext })
  const calls = [client.connect(), client.recv()]
  await settle()
  controllers[0]?.abort()
  for (const error of await rejectionsOf(calls)) expect(error).toMatchObject({ code: 'ERR_DERP_ABORTED' })
  expect(signals[0]?.aborted).toBe(true)
  await nextMessage(client, 'serverInfo')
  // One signal may be used for many attempts: none may leave listeners.
  expect(getEventListeners(controllers[1]?.signal as AbortSignal, 'abort')).toEqual([])
  controllers[1]?.abort()
  await settle()
  expect(client.connectedState().connected).toBe(true)
  expect(controllers).toHaveLength(2)
})

test('an already aborted or missing signal of baseContext fails the attempt', async () => {
  const relay = new TestRelay()
  const client = relay.client({ baseContext: () => AbortSignal.abort() })
  await expect(client.connect()).rejects.toMatchObject({ code: 'ERR_DERP_ABORTED' })
  client.baseContext = () => undefined as unknown as AbortSignal
  await expect(client.connect()).rejects.toThrow(TypeError)
  client.baseContext = undefined
  await client.connect()
  expect(relay.core.counters.accepts).toBe(1)
})

test('netMon is passed to the transport with every request', async () => {
  const netMon = { subscribe: () => () => {} }
  const seen: unknown[] = []
  const relay = new TestRelay()
  const transport = {
    dial: async (request: DialRequest) => {
      seen.push(request.netMon)
      return { conn: relay.connect() }
    },
  }
  await relay.client({ transport, netMon }).connect()
  await relay.client({ transport }).connect()
  expect(seen).toEqual([netMon, undefined])
})

test('connectedState follows the client from creation to close (P-201, P-205, P-209)', async () => {
  const { client, relay } = scripted()
  const idle = { connected: false, connecting: false, closed: false, localAddr: undefined }
  expect(client.connectedState()).toEqual(idle)
  const connecting = client.connect()
  expect(client.connectedState()).toEqual({ ...idle, connecting: true })
  await connecting
  expect(client.connectedState()).toEqual({ ...idle, connected: true })
  relay().conn.destroy()
  await settle()
  expect(client.connectedState()).toEqual(idle)
  await client.close()
  expect(client.connectedState()).toEqual({ ...idle, closed: true })
})

test('connectedState includes our address', async () => {
  const relay = new TestRelay()
  const client = await relay.readyClient()
  expect(client.connectedState().localAddr).toEqual(client.localAddr())
  expect(client.localAddr()?.address).toBe('192.0.2.1')
})
