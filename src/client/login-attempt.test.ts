import { getEventListeners } from 'node:events'
import { expect, test } from 'vitest'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { testAgreement } from '../../test/support/relay.ts'
import { scriptedMemoryRelay } from '../../test/support/scripted-relay.ts'
import { settle } from '../../test/support/settle.ts'
import { MeshKey } from '../keys/mesh-key.ts'
import { NodePrivateKey } from '../keys/node-key.ts'
import { encodeUtf8 } from '../lib/bytes.ts'
import { MAGIC } from '../protocol/constants.ts'
import { encodeFrame } from '../protocol/encode.ts'
import { FrameType } from '../protocol/frame-type.ts'
import { DerpClient } from './derp-client.ts'
import type { DerpClientOptions } from './options.ts'

function setUp(options: Partial<DerpClientOptions> = {}, signal?: AbortSignal) {
  const { relay, clientConn, serverConn } = scriptedMemoryRelay()
  const clock = new FakeClock()
  const privateKey = NodePrivateKey.generate()
  const login = DerpClient.login(clientConn, { privateKey, agreement: testAgreement, clock, ...options }, signal)
  login.catch(() => {})
  return { relay, clientConn, serverConn, clock, privateKey, login }
}

test('login reads the relay’s key and sends ClientInfo, without waiting for ServerInfo (P-030, P-201)', async () => {
  const { relay, privateKey, login } = setUp()
  relay.greet()
  const { hello, info } = await relay.hello()
  const client = await login
  expect(client.serverKey.equals(relay.privateKey.publicKey())).toBe(true)
  expect(hello.clientKey.equals(privateKey.publicKey())).toBe(true)
  expect(info).toEqual({ version: 2, canAckPings: false, isProber: false })
})

test('login sends mesh key, prober flag and ping support (P-033)', async () => {
  const meshKey = MeshKey.parse('ab'.repeat(32))
  const { relay } = setUp({ meshKey, isProber: true, canAckPings: true, appName: 'my app' })
  relay.greet()
  const { info } = await relay.hello()
  expect(info).toEqual({ version: 2, meshKey: 'ab'.repeat(32), canAckPings: true, isProber: true, appName: 'my app' })
})

test('login with a known key sends ClientInfo without waiting and skips the ServerKey that follows (P-122)', async () => {
  const { relay, clientConn } = scriptedMemoryRelay()
  const serverKey = relay.privateKey.publicKey()
  const clock = new FakeClock()
  const options = { privateKey: NodePrivateKey.generate(), agreement: testAgreement, clock, serverKey }
  const client = await DerpClient.login(clientConn, options)
  await relay.hello()
  relay.greet()
  relay.send(relay.serverInfo())
  await expect(client.recv()).resolves.toMatchObject({ type: 'serverInfo' })
})

test('login reads frames that directly follow the greeting', async () => {
  const { relay, login } = setUp()
  const greeting = encodeFrame(FrameType.ServerKey, MAGIC, relay.privateKey.publicKey().bytes)
  relay.send(greeting, encodeFrame(FrameType.KeepAlive))
  await expect((await login).recv()).resolves.toEqual({ type: 'keepAlive' })
})

test('login accepts a longer greeting, and one that arrives byte by byte (P-031)', async () => {
  const { relay, login } = setUp()
  const key = relay.privateKey.publicKey().bytes
  for (const byte of encodeFrame(FrameType.ServerKey, MAGIC, key, new Uint8Array(1024 - 40))) {
    relay.send(Uint8Array.of(byte))
  }
  await expect(login).resolves.toBeInstanceOf(DerpClient)
})

const KEY = NodePrivateKey.generate().publicKey().bytes
const LOW_ORDER = new Uint8Array(32).fill(1, 0, 1)

test.each<[what: string, code: string, bytes: Uint8Array]>([
  ['a wrong magic', 'ERR_DERP_LOGIN_MAGIC_WRONG', encodeFrame(FrameType.ServerKey, encodeUtf8('DERP-RLY'), KEY)],
  ['another frame', 'ERR_DERP_FRAME_UNEXPECTED', encodeFrame(FrameType.KeepAlive)],
  ['no frame at all', 'ERR_DERP_FRAME_UNEXPECTED', encodeUtf8('SSH-2.0-OpenSSH_9.2p1\r\n')],
  ['a short greeting', 'ERR_DERP_FRAME_TOO_SHORT', encodeFrame(FrameType.ServerKey, MAGIC, KEY.subarray(1))],
  ['a long greeting', 'ERR_DERP_FRAME_TOO_LONG', encodeFrame(FrameType.ServerKey, MAGIC, KEY, new Uint8Array(1000))],
  ['a key of zeros', 'ERR_DERP_KEY_INVALID', encodeFrame(FrameType.ServerKey, MAGIC, new Uint8Array(32))],
  ['a key of low order', 'ERR_DERP_KEY_INVALID', encodeFrame(FrameType.ServerKey, MAGIC, LOW_ORDER)],
])('login fails on %s and ends the connection (P-031)', async (_what, code, bytes) => {
  const { relay, clock, login } = setUp()
  relay.send(bytes)
  await expect(login).rejects.toMatchObject({ code })
  await settle()
  expect(relay.closed).toBe(true)
  expect(clock.pendingTimers).toBe(0)
})

test('login fails when the relay closes, even within the greeting (P-031)', async () => {
  const { relay, clock, login } = setUp()
  relay.send(Uint8Array.of(FrameType.ServerKey, 0, 0))
  relay.conn.end()
  await expect(login).rejects.toMatchObject({
    code: 'ERR_DERP_CONN_CLOSED',
    message: 'log in: connection closed by the relay',
  })
  expect(clock.pendingTimers).toBe(0)
})

test('login fails when the relay is silent (P-202)', async () => {
  const { relay, clock, login } = setUp({ loginTimeoutMs: 3000 })
  clock.advance(2999)
  await settle()
  expect(relay.closed).toBe(false)
  clock.advance(1)
  await expect(login).rejects.toMatchObject({
    code: 'ERR_DERP_LOGIN_TIMEOUT',
    message: 'log in: not complete after 3000 ms',
  })
  await settle()
  expect(relay.closed).toBe(true)
})

test('login fails when the relay does not read ClientInfo (P-202)', async () => {
  const { relay, clock, login } = setUp()
  relay.conn.pause()
  relay.greet()
  await settle()
  clock.advance(10_000)
  await expect(login).rejects.toMatchObject({ code: 'ERR_DERP_LOGIN_TIMEOUT' })
})

test('login can be aborted before and after it starts', async () => {
  const before = setUp({}, AbortSignal.abort())
  await expect(before.login).rejects.toMatchObject({
    code: 'ERR_DERP_ABORTED',
    message: 'log in: aborted by the caller',
  })
  const controller = new AbortController()
  const later = setUp({}, controller.signal)
  await settle()
  controller.abort()
  await expect(later.login).rejects.toMatchObject({ code: 'ERR_DERP_ABORTED' })
  await settle()
  for (const { relay, clock } of [before, later]) {
    expect(relay.closed).toBe(true)
    expect(clock.pendingTimers).toBe(0)
  }
})

test('login aborted during key agreement sends nothing', async () => {
  const agreed = Promise.withResolvers<Uint8Array>()
  const controller = new AbortController()
  const { relay, serverConn, login } = setUp({ agreement: { agree: () => agreed.promise } }, controller.signal)
  relay.greet()
  await settle()
  controller.abort()
  agreed.resolve(new Uint8Array(32))
  await expect(login).rejects.toMatchObject({ code: 'ERR_DERP_ABORTED' })
  await settle()
  expect(serverConn.unreadWrites).toBe(0)
})

test('login leaves data that arrives during key agreement to the transport', async () => {
  const { relay, clientConn, login } = setUp({ agreement: { agree: () => new Promise(() => {}) } })
  relay.greet()
  await settle()
  relay.say({ type: 'keepAlive' }, { type: 'keepAlive' })
  await settle()
  expect(clientConn.unreadWrites).toBe(2)
  relay.conn.destroy()
  await expect(login).rejects.toMatchObject({ code: 'ERR_DERP_CONN_CLOSED' })
})

test('login releases the signal of its caller', async () => {
  const controller = new AbortController()
  const { relay, login } = setUp({}, controller.signal)
  expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1)
  relay.greet()
  await login
  expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0)
})

test('login rejects an invalid option before it uses the connection', () => {
  const { clientConn } = scriptedMemoryRelay()
  const options = { privateKey: NodePrivateKey.generate(), agreement: testAgreement, readTimeoutMs: 0 }
  expect(() => DerpClient.login(clientConn, options)).toThrow(
    expect.objectContaining({ code: 'ERR_DERP_CONFIG_INVALID' }),
  )
})

test('login of a zero key fails (P-020)', async () => {
  const { relay, login } = setUp({ privateKey: NodePrivateKey.fromBytes(new Uint8Array(32)) })
  relay.greet()
  await expect(login).rejects.toMatchObject({ code: 'ERR_DERP_KEY_INVALID' })
})
