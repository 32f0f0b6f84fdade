/** How a client connects, reconnects, aborts and closes. */

import { expect, test } from 'vitest'
import { Client } from '../../src/client/client.ts'
import type { DialedConn, DialRequest } from '../../src/client/ports.ts'
import { NodePrivateKey } from '../../src/keys/node-key.ts'
import { DerpError } from '../../src/lib/derp-error.ts'
import { memoryConnPair } from '../../src/transport/memory-conn.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { rejectionsOf } from '../support/rejections.ts'
import { MemoryTransport, nextMessage, TestRelay, testAgreement } from '../support/relay.ts'
import { type ScriptedRelay, scriptedMemoryRelay } from '../support/scripted-relay.ts'
import { settle, until } from '../support/settle.ts'

const BYTES = Uint8Array.of(1, 2, 3)
const PEER = NodePrivateKey.generate().publicKey()

/** A client with scripted dials. */
function heldDials(options: { readonly clock?: FakeClock } = {}) {
  const clock = options.clock ?? new FakeClock()
  const dials: (PromiseWithResolvers<DialedConn> & { signal: AbortSignal })[] = []
  const transport = {
    dial: ({ signal }: DialRequest) => {
      const dial = Promise.withResolvers<DialedConn>()
      dials.push({ ...dial, signal })
      return dial.promise
    },
  }
  const client = new Client(NodePrivateKey.generate(), 'http://user:secret@relay.test/derp', {
    transport,
    agreement: testAgreement,
    clock,
  })
  return { client, clock, dials }
}

test('a client opens no connection before it is used (P-201)', async () => {
  const { client, dials } = heldDials()
  await settle()
  expect(dials).toHaveLength(0)
  expect(String(client)).toBe('<derphttp.Client [] url=http://relay.test/derp>')
  expect(client.tlsConnectionState()).toBeUndefined()
})

test('calls made while connecting share one attempt (P-201)', async () => {
  const relay = new TestRelay()
  const client = relay.client()
  const peer = await relay.readyClient()
  const calls = [client.connect(), client.send(peer.selfPublicKey(), BYTES), client.connect(), client.recv()]
  await Promise.all(calls)
  expect(relay.core.counters.accepts).toBe(2)
  expect(await peer.recv()).toMatchObject({ type: 'receivedPacket', data: BYTES })
})

test('packets sent while connecting keep their order', async () => {
  const relay = new TestRelay()
  const client = relay.client()
  const peer = await relay.readyClient()
  const sent = [client.connect(), ...[0, 1, 2].map(i => client.send(peer.selfPublicKey(), Uint8Array.of(i)))]
  await sent[0]
  await client.send(peer.selfPublicKey(), Uint8Array.of(3))
  await Promise.all(sent)
  for (let i = 0; i < 4; i++) expect(await peer.recv()).toMatchObject({ data: Uint8Array.of(i) })
})

test('a lost connection is reported once by recv; the next call connects, with the next generation (P-205, P-206)', async () => {
  const relay = new TestRelay()
  const client = relay.client()
  for (let generation = 1; generation <= 3; generation++) {
    expect(await client.recvDetail()).toMatchObject({
      message: { type: 'serverInfo' },
      connectionGeneration: generation,
    })
    for (const session of relay.core.sessions) session.close()
    await expect(client.recvDetail()).rejects.toMatchObject({ code: 'ERR_DERP_CONN_CLOSED' })
  }
  expect(relay.core.counters.accepts).toBe(3)
})

test('a lost connection is reported once by send; the next call connects (P-205)', async () => {
  const relay = new TestRelay()
  const [client, peer] = [await relay.readyClient(), await relay.readyClient()]
  for (const session of relay.core.sessions) if (session.key.equals(client.selfPublicKey())) session.close()
  await settle()
  await expect(client.send(peer.selfPublicKey(), BYTES)).rejects.toMatchObject({ code: 'ERR_DERP_CONN_CLOSED' })
  await client.send(peer.selfPublicKey(), BYTES)
  expect(await peer.recv()).toMatchObject({ type: 'receivedPacket', data: BYTES })
})

test('calls that fail together drop the connection once (P-205)', async () => {
  const relay = new TestRelay()
  const client = await relay.readyClient()
  const calls = [client.recv(), client.recv(), client.recv()]
  for (const session of relay.core.sessions) session.close()
  for (const error of await rejectionsOf(calls)) expect(error).toMatchObject({ code: 'ERR_DERP_CONN_CLOSED' })
  await client.connect()
  await client.connect()
  expect(relay.core.counters.accepts).toBe(2)
})

test('messages received before a loss are delivered before it is reported', async () => {
  const relay = new TestRelay()
  const [a, b] = [await relay.readyClient(), await relay.readyClient()]
  for (let i = 0; i < 5; i++) await a.send(b.selfPublicKey(), Uint8Array.of(i))
  await settle()
  relay.core.close()
  await settle()
  for (let i = 0; i < 5; i++) expect(await b.recv()).toMatchObject({ data: Uint8Array.of(i) })
  await expect(b.recv()).rejects.toMatchObject({ code: 'ERR_DERP_CONN_CLOSED' })
})

test('connect replaces a connection known to be lost (P-201)', async () => {
  const relay = new TestRelay()
  const client = await relay.readyClient()
  for (const session of relay.core.sessions) session.close()
  await settle()
  await client.connect()
  expect(await client.recvDetail()).toMatchObject({ connectionGeneration: 2 })
})

test('for await throws on a loss; a new loop continues on a new connection', async () => {
  const relay = new TestRelay()
  const client = await relay.readyClient()
  const loop = (async () => {
    for await (const message of client) void message
  })()
  await settle()
  for (const session of relay.core.sessions) session.close()
  await expect(loop).rejects.toMatchObject({ code: 'ERR_DERP_CONN_CLOSED' })
  for await (const message of client) {
    expect(message.type).toBe('serverInfo')
    break
  }
})

test('a ping that was sent fails with its connection (P-207)', async () => {
  const { relay, clientConn } = scriptedMemoryRelay()
  const clock = new FakeClock()
  const client = new Client(NodePrivateKey.generate(), 'http://relay.test/derp', {
    transport: new MemoryTransport(() => clientConn),
    agreement: testAgreement,
    clock,
  })
  relay.greet()
  await client.connect()
  const ping = client.ping()
  await until(() => relay.frames.length === 1, 'the ping has arrived')
  const received = client.recv()
  relay.conn.destroy()
  for (const error of await rejectionsOf([ping, received]))
    expect(error).toMatchObject({ code: 'ERR_DERP_CONN_CLOSED' })
  expect(clock.pendingTimers).toBe(0)
})

test('notePreferred sends only changes, and on a new connection only if preferred (P-210)', async () => {
  const relays: ScriptedRelay[] = []
  const transport = new MemoryTransport(() => {
    const { relay, clientConn } = scriptedMemoryRelay()
    relay.greet()
    relays.push(relay)
    return clientConn
  })
  const options = { transport, agreement: testAgreement, clock: new FakeClock() }
  const client = new Client(NodePrivateKey.generate(), 'http://relay.test/derp', options)
  await client.notePreferred(false)
  for (const preferred of [true, true, false, false]) {
    await client.connect()
    await client.notePreferred(preferred)
  }
  const tell = (...values: boolean[]) => values.map(preferred => ({ type: 'notePreferred', preferred }))
  expect(relays[0]?.frames).toEqual(tell(true, false))
  for (const values of [[], [true]]) {
    const received = client.recv()
    relays.at(-1)?.conn.destroy()
    await expect(received).rejects.toMatchObject({ code: 'ERR_DERP_CONN_CLOSED' })
    if (values.length > 0) await client.notePreferred(true)
    await client.connect()
    await settle()
    expect(relays.at(-1)?.frames).toEqual(tell(...values))
  }
})

test('a failed dial is reported to all waiting calls, and retried by the next call', async () => {
  const { client, dials } = heldDials()
  const calls = [client.connect(), client.recv(), client.send(PEER, BYTES)]
  const cause = new Error('no route to host')
  dials[0]?.reject(cause)
  for (const error of await rejectionsOf(calls)) {
    expect(error).toMatchObject({
      code: 'ERR_DERP_DIAL_FAILED',
      message: 'connect to http://relay.test/derp: no route to host',
      cause,
    })
  }
  client.connect().catch(() => {})
  expect(dials).toHaveLength(2)
})

test('a DerpError of the transport is passed on unchanged', async () => {
  const { client, dials } = heldDials()
  const connecting = client.connect()
  const error = new DerpError('ERR_DERP_UPGRADE_REFUSED', 'refused')
  dials[0]?.reject(error)
  await expect(connecting).rejects.toBe(error)
})

test('an attempt ends after 10 s, even if the transport ignores its signal (P-202)', async () => {
  const { client, clock, dials } = heldDials()
  const connecting = client.connect()
  await settle()
  clock.advance(9_999)
  expect(dials[0]?.signal.aborted).toBe(false)
  clock.advance(1)
  await expect(connecting).rejects.toMatchObject({
    code: 'ERR_DERP_DIAL_TIMEOUT',
    message: 'connect to http://relay.test/derp: not connected after 10000 ms',
  })
  expect(dials[0]?.signal.aborted).toBe(true)
  expect(clock.pendingTimers).toBe(0)
})

test('a timeout is reported as such even if the transport rejects with its own error (P-202)', async () => {
  const clock = new FakeClock()
  const dial = ({ signal }: DialRequest) =>
    new Promise<DialedConn>((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(new Error('The operation was aborted')))
    })
  const options = { transport: { dial }, agreement: testAgreement, clock }
  const client = new Client(NodePrivateKey.generate(), 'http://relay.test/derp', options)
  const connecting = client.connect()
  connecting.catch(() => {})
  await settle()
  clock.advance(10_000)
  await expect(connecting).rejects.toMatchObject({ code: 'ERR_DERP_DIAL_TIMEOUT' })
})

test('the 10 s of an attempt include the login (P-202)', async () => {
  const { client, clock, dials } = heldDials()
  const connecting = client.connect()
  clock.advance(6_000)
  const [conn, server] = memoryConnPair()
  dials[0]?.resolve({ conn })
  const closed = Promise.withResolvers<void>()
  server.open({ onData() {}, onClose: () => closed.resolve() })
  await settle()
  clock.advance(4_000)
  await expect(connecting).rejects.toMatchObject({ code: 'ERR_DERP_DIAL_TIMEOUT' })
  await closed.promise
  expect(clock.pendingTimers).toBe(0)
})

test('a connection established after its attempt was abandoned is closed', async () => {
  const { client, dials } = heldDials()
  const controller = new AbortController()
  const connecting = client.connect(controller.signal)
  controller.abort()
  await expect(connecting).rejects.toMatchObject({ code: 'ERR_DERP_ABORTED' })
  const [conn, server] = memoryConnPair()
  const closed = Promise.withResolvers<void>()
  server.open({ onData() {}, onClose: () => closed.resolve() })
  dials[0]?.resolve({ conn })
  await closed.promise
  expect(() => client.localAddr()).toThrow(expect.objectContaining({ code: 'ERR_DERP_CLIENT_NOT_CONNECTED' }))
})

test('aborting a call ends the attempt only if no other call waits for it', async () => {
  const { client, dials } = heldDials()
  const controller = new AbortController()
  const first = client.connect(controller.signal)
  const second = client.send(PEER, BYTES)
  second.catch(() => {})
  await settle()
  controller.abort()
  await expect(first).rejects.toMatchObject({ code: 'ERR_DERP_ABORTED' })
  await settle()
  expect(dials[0]?.signal.aborted).toBe(false)
  const error = new Error('later')
  dials[0]?.reject(error)
  await expect(second).rejects.toMatchObject({ code: 'ERR_DERP_DIAL_FAILED', cause: error })
})

test('a call after an abandoned attempt starts a new one', async () => {
  const { client, dials } = heldDials()
  const controller = new AbortController()
  const first = client.connect(controller.signal)
  controller.abort()
  await expect(first).rejects.toMatchObject({ code: 'ERR_DERP_ABORTED' })
  client.connect().catch(() => {})
  await until(() => dials.length === 2, 'a second dial has started')
  await expect(client.connect(AbortSignal.abort())).rejects.toMatchObject({ code: 'ERR_DERP_ABORTED' })
  expect(dials).toHaveLength(2)
})

test('aborting recv or send affects neither connection nor messages', async () => {
  const relay = new TestRelay()
  const [a, b] = [await relay.readyClient(), await relay.readyClient()]
  const controller = new AbortController()
  const received = b.recv(controller.signal)
  controller.abort(new DerpError('ERR_DERP_PING_TIMEOUT', 'a reason of our own'))
  await expect(received).rejects.toMatchObject({ message: 'a reason of our own' })
  await expect(a.send(b.selfPublicKey(), BYTES, AbortSignal.abort())).rejects.toMatchObject({
    code: 'ERR_DERP_ABORTED',
  })
  await a.send(b.selfPublicKey(), BYTES)
  expect(await b.recvDetail()).toMatchObject({ connectionGeneration: 1 })
})

test('close rejects pending and later calls with the client-closed error (P-209)', async () => {
  const relay = new TestRelay()
  const clock = new FakeClock()
  const client = await relay.readyClient({ clock })
  const pending: Promise<unknown>[] = [client.recv(), client[Symbol.asyncIterator]().next()]
  await settle()
  pending.push(client.ping())
  await client.close()
  const later = [
    client.connect(),
    client.send(PEER, BYTES),
    client.recv(),
    client.recvDetail(),
    client.ping(),
    client.sendPing(new Uint8Array(8)),
    client.sendPong(new Uint8Array(8)),
    client.notePreferred(true),
    client.forwardPacket(PEER, PEER, BYTES),
    client.closePeer(PEER),
    client[Symbol.asyncIterator]().next(),
    client.close(),
  ]
  for (const error of await rejectionsOf([...pending, ...later])) {
    expect(error).toMatchObject({ code: 'ERR_DERP_CLIENT_CLOSED' })
  }
  expect(() => client.localAddr()).toThrow(expect.objectContaining({ code: 'ERR_DERP_CLIENT_CLOSED' }))
  await until(() => relay.core.sessions.size === 0, 'the relay has seen the close')
  expect(clock.pendingTimers).toBe(0)
})

test('close ends a pending attempt (P-202, P-209)', async () => {
  const { client, clock, dials } = heldDials()
  const calls = [client.connect(), client.recv()]
  await settle()
  await client.close()
  for (const error of await rejectionsOf(calls)) expect(error).toMatchObject({ code: 'ERR_DERP_CLIENT_CLOSED' })
  expect(dials[0]?.signal.aborted).toBe(true)
  expect(clock.pendingTimers).toBe(0)
})

test('close does not discard packets whose send has resolved', async () => {
  const relay = new TestRelay()
  const [a, b] = [await relay.readyClient(), await relay.readyClient()]
  await a.send(b.selfPublicKey(), BYTES)
  await a.close()
  expect(await nextMessage(b, 'receivedPacket')).toMatchObject({ data: BYTES })
})

test('await using closes a client, also if already closed', async () => {
  const relay = new TestRelay()
  {
    await using client = await relay.readyClient()
    await using closed = await relay.readyClient()
    await closed.close()
    expect(client.localAddr()).toBeDefined()
  }
  await until(() => relay.core.sessions.size === 0, 'the relay has seen the close')
  expect(relay.core.counters.logins).toBe(2)
})

test('silence of 120 s counts as a lost connection (P-094)', async () => {
  const silent = new MemoryTransport(() => relay.connect())
  const relay = new TestRelay({ keepAliveMs: 1_000_000 })
  const client = await relay.readyClient({ transport: silent })
  const received = client.recv()
  relay.clock.advance(120_000)
  await expect(received).rejects.toMatchObject({ code: 'ERR_DERP_READ_TIMEOUT' })
  expect(await client.recvDetail()).toMatchObject({ connectionGeneration: 2 })
  expect(silent.conns).toHaveLength(2)
})

test.each([
  ['a malformed URL', 'relay', {}, 'ERR_DERP_URL_INVALID'],
  ['another scheme', 'ftp://relay.test/', {}, 'ERR_DERP_URL_INVALID'],
  ['an option out of bounds', 'http://relay.test/', { connectTimeoutMs: -1 }, 'ERR_DERP_CONFIG_INVALID'],
])('the client constructor rejects %s (P-200)', (_what, url, options, code) => {
  const transport = new MemoryTransport(() => memoryConnPair()[0])
  const make = () => new Client(NodePrivateKey.generate(), url, { transport, agreement: testAgreement, ...options })
  expect(make).toThrow(expect.objectContaining({ code }))
})

test('the client constructor rejects a zero key (P-020)', () => {
  const relay = new TestRelay()
  expect(() => relay.client({ privateKey: NodePrivateKey.fromBytes(new Uint8Array(32)) })).toThrow(
    expect.objectContaining({ code: 'ERR_DERP_KEY_INVALID' }),
  )
})
