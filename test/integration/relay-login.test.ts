/** Edge cases of the login: how it ends early, and what is counted. */

import { expect, test } from 'vitest'
import { MeshKey } from '../../src/keys/mesh-key.ts'
import { nodeAgreement } from '../../src/keys/node-box.ts'
import { NodePrivateKey } from '../../src/keys/node-key.ts'
import { silentLog } from '../../src/lib/log.ts'
import { encodeClientToServer, encodeFrame } from '../../src/protocol/encode.ts'
import { FrameType } from '../../src/protocol/frame-type.ts'
import type { RelayCoreOptions } from '../../src/server/options.ts'
import { MemoryRelay } from '../support/memory-relay.ts'
import type { RawClient } from '../support/raw-client.ts'
import { settle, until } from '../support/settle.ts'

const MESH_KEY = '9f'.repeat(32)

/** A relay with recorded events. */
function watched(options: Partial<RelayCoreOptions> = {}) {
  const relay = new MemoryRelay(options)
  const events: string[] = []
  relay.core.events.on('clientConnected', ({ key }) => events.push(`connected ${key.shortString()}`))
  relay.core.events.on('clientDisconnected', ({ key }) => events.push(`disconnected ${key.shortString()}`))
  relay.core.events.on('connectionFailed', ({ code, reason }) => events.push(`failed ${code}: ${reason}`))
  return { relay, events }
}

/** Delays registrations until released, as with several workers. */
function holdRegistrations(relay: MemoryRelay): () => void {
  const { promise, resolve } = Promise.withResolvers<void>()
  const register = relay.core.directory.register.bind(relay.core.directory)
  relay.core.directory.register = async session => {
    await register(session)
    await promise
  }
  return resolve
}

/** Sends ClientInfo without awaiting a reply. */
async function sayHello(client: RawClient, options: Parameters<RawClient['hello']>[0] = {}): Promise<void> {
  client.sendBytes(await client.hello(options))
}

test('relay emits connect and disconnect once for each client', async () => {
  const { relay, events } = watched()
  const client = await relay.login()
  const name = client.publicKey.shortString()
  expect(events).toEqual([`connected ${name}`])
  client.close()
  await settle()
  expect(events).toEqual([`connected ${name}`, `disconnected ${name}`])
})

test('relay emits a client’s protocol violation, and logs it with key and address', async () => {
  const lines: unknown[] = []
  const { relay, events } = watched({
    log: {
      debug: (message, fields) => lines.push([message, fields]),
      info() {},
      warn() {},
      error() {},
    },
  })
  const client = await relay.login()
  client.sendBytes(encodeFrame(FrameType.Ping, new Uint8Array(7)))
  await client.closed()
  const name = client.publicKey.shortString()
  const code = 'ERR_DERP_FRAME_TOO_SHORT'
  const reason = 'read frame Ping of 7 bytes: fewer than 8'
  expect(events).toEqual([`connected ${name}`, `failed ${code}: ${reason}`, `disconnected ${name}`])
  expect(lines).toEqual([
    ['connection ended', { client: name, remote: { address: '192.0.2.1', port: 4001 }, code, reason }],
  ])
  expect(relay.core.counters).toMatchObject({ gotPing: 1, sentPong: 0 })
})

test('relay does not count other malformed frames as pings', async () => {
  const relay = new MemoryRelay()
  for (const frame of [encodeFrame(FrameType.NotePreferred), encodeFrame(FrameType.WatchConns)]) {
    const client = await relay.login()
    client.sendBytes(frame)
    await client.closed()
  }
  expect(relay.core.counters.gotPing).toBe(0)
})

test('relay records a connection that ends before its login, with the reason', async () => {
  const { relay, events } = watched()
  const client = relay.connect()
  await client.greeting()
  client.close()
  await settle()
  relay.clock.advance(20_000)
  expect(events).toEqual(['failed ERR_DERP_CONN_CLOSED: wait for login: closed by the client'])
  expect([relay.core.pendingLogins, relay.clock.pendingTimers]).toEqual([0, 0])
})

test('relay measures accept and login (P-194)', async () => {
  const relay = new MemoryRelay()
  const { acceptMs, loginMs } = relay.core.counters
  await relay.login()
  expect([acceptMs.count, loginMs.count, loginMs.sum]).toEqual([0, 1, 0])
  relay.clock.advance(1_000)
  const client = relay.connect({ acceptedAtMs: 970 })
  await client.greeting()
  relay.clock.advance(200)
  await client.login()
  expect([acceptMs.count, acceptMs.sum, loginMs.count, loginMs.sum]).toEqual([1, 30, 2, 200])
})

test('relay immediately closes a connection whose login deadline has passed at accept (P-035)', async () => {
  const relay = new MemoryRelay()
  relay.clock.advance(60_000)
  const client = relay.connect({ acceptedAtMs: 0 })
  relay.clock.advance(0)
  await client.closed()
  expect(relay.core.counters.failures).toEqual({ ERR_DERP_LOGIN_TIMEOUT: 1 })
})

test('relay counts all bytes of a session, in both directions', async () => {
  const relay = new MemoryRelay()
  const client = relay.connect()
  await client.greeting()
  const hello = await client.hello()
  const ping = encodeClientToServer({ type: 'ping', payload: new Uint8Array(8) })
  client.sendBytes(hello.subarray(0, 50))
  client.sendBytes(Uint8Array.from([...hello.subarray(50), ...ping]))
  await client.serverInfo()
  await client.message()
  client.sendBytes(ping)
  await client.message()
  const [session] = relay.core.sessions
  expect(session?.tally.bytesReceived).toBe(hello.length + 2 * ping.length)
  // Greeting, ServerInfo with its box around {"version":2}, and two Pongs.
  expect(session?.tally.bytesSent).toBe(45 + (5 + 24 + 16 + 13) + 2 * 13)
  expect(session).toMatchObject({ pendingBytes: 0, queuedPackets: 0, connectedAtMs: 0, isClosed: false })
})

test('relay counts clients that are not on their ideal node (P-123)', async () => {
  const relay = new MemoryRelay()
  const { counters } = relay.core
  const [plain, empty, client] = [
    await relay.login(),
    await relay.login({ idealNode: '' }),
    await relay.login({ idealNode: '1c' }),
  ]
  expect([counters.currentConnections, counters.currentNotIdealConnections]).toEqual([3, 1])
  for (const leaving of [plain, empty]) leaving.close()
  await settle()
  expect([counters.currentConnections, counters.currentNotIdealConnections]).toEqual([1, 1])
  client.close()
  await settle()
  expect([counters.currentConnections, counters.currentNotIdealConnections]).toEqual([0, 0])
})

test('relay does not ask the admission gate about mesh peers (P-074)', async () => {
  const relay = new MemoryRelay({
    meshKey: MeshKey.parse(MESH_KEY),
    admission: { admit: async () => ({ admit: false, reason: 'nobody' }) },
  })
  await relay.login({ info: { meshKey: MESH_KEY } })
  expect(relay.core.counters).toMatchObject({ logins: 1, failures: {} })
})

test('relay denies a client when the admission gate fails, and logs why', async () => {
  const cause = new Error('admission service is down')
  const { relay, events } = watched({ admission: { admit: () => Promise.reject(cause) } })
  const client = relay.connect()
  await client.greeting()
  await sayHello(client)
  await client.closed()
  expect(events).toEqual([
    `failed ERR_DERP_ADMISSION_DENIED: admit client ${client.publicKey.shortString()}: Error: admission service is down`,
  ])
})

test('relay closes a login when the admission gate does not answer in time, and ignores a late answer (P-035)', async () => {
  const { promise, resolve } = Promise.withResolvers<{ admit: true }>()
  const { relay, events } = watched({ admission: { admit: () => promise } })
  const client = relay.connect()
  await client.greeting()
  await sayHello(client)
  await client.flushed()
  relay.clock.advance(10_000)
  await client.closed()
  resolve({ admit: true })
  await settle()
  expect(events).toEqual(['failed ERR_DERP_LOGIN_TIMEOUT: wait for login: not complete after 10000 ms'])
  expect(relay.core.counters.logins).toBe(0)
})

test('relay forgets a login that ends during registration (P-036)', async () => {
  const { relay, events } = watched()
  const resume = holdRegistrations(relay)
  const privateKey = NodePrivateKey.generate()
  const client = relay.connect()
  await client.greeting()
  await sayHello(client, { privateKey })
  await until(() => relay.core.routes.has(privateKey.publicKey()), 'the key has a route')
  client.close()
  await settle()
  resume()
  await settle()
  relay.clock.advance(20_000)
  expect(events.filter(event => event.startsWith('failed'))).toHaveLength(1)
  expect(events.filter(event => !event.startsWith('failed')).map(event => event.split(' ')[0])).toEqual([
    'connected',
    'disconnected',
  ])
  expect([relay.core.sessions.size, relay.core.pendingLogins, relay.clock.pendingTimers]).toEqual([0, 0, 0])
  expect(relay.core.routes.has(privateKey.publicKey())).toBe(false)
})

test('closing the relay during a registration closes the session (P-036)', async () => {
  const { relay, events } = watched()
  const resume = holdRegistrations(relay)
  const client = relay.connect()
  await client.greeting()
  await sayHello(client)
  await until(() => relay.core.sessions.size === 1, 'the session is being registered')
  relay.core.close()
  await client.closed()
  resume()
  await settle()
  expect(events.filter(event => event.startsWith('connected'))).toEqual([])
  expect([relay.core.sessions.size, relay.core.pendingLogins, relay.clock.pendingTimers]).toEqual([0, 0, 0])
  expect(relay.core.counters).toMatchObject({ currentConnections: 0, failures: {} })
})

test('relay records a fault during registration once (P-036, P-101)', async () => {
  const { relay, events } = watched()
  const resume = holdRegistrations(relay)
  const client = relay.connect()
  // It does not read the greeting, and already knows the relay's key.
  client.conn.pause()
  client.knowServer(relay.core.publicKey)
  await sayHello(client)
  await until(() => relay.core.sessions.size === 1, 'the session is being registered')
  relay.clock.advance(2_000)
  await client.closed()
  resume()
  await settle()
  expect(events.filter(event => event.startsWith('failed'))).toEqual([
    'failed ERR_DERP_WRITE_TIMEOUT: write to client: not finished in time',
  ])
  expect([relay.core.sessions.size, relay.core.pendingLogins, relay.clock.pendingTimers]).toEqual([0, 0, 0])
})

test('relay applies the longer write timeout to a mesh peer from its login (P-101)', async () => {
  const relay = new MemoryRelay({ meshKey: MeshKey.parse(MESH_KEY) })
  const meshPeer = relay.connect()
  // It does not read the greeting, and already knows the relay's key.
  meshPeer.conn.pause()
  meshPeer.knowServer(relay.core.publicKey)
  await settle()
  await sayHello(meshPeer, { info: { meshKey: MESH_KEY } })
  await until(() => relay.core.counters.logins === 1, 'the mesh peer is logged in')
  relay.clock.advance(29_999)
  await settle()
  expect(relay.core.counters).toMatchObject({ currentConnections: 1, writeTimeouts: 0 })
  relay.clock.advance(1)
  expect(relay.core.counters).toMatchObject({ currentConnections: 0, writeTimeouts: 1 })
})

test('relay stops reading from a connection whose login has failed', async () => {
  const relay = new MemoryRelay()
  const client = relay.connect()
  await client.greeting()
  const bad = encodeFrame(FrameType.SendPacket, new Uint8Array(40))
  client.sendBytes(Uint8Array.from([...bad, ...(await client.hello())]))
  await client.closed()
  await settle()
  expect(relay.core.counters).toMatchObject({ logins: 0, failures: { ERR_DERP_FRAME_UNEXPECTED: 1 } })
})

test('relay accepts a ClientInfo that arrives byte by byte (P-032)', async () => {
  const relay = new MemoryRelay()
  const client = relay.connect()
  await client.greeting()
  for (const byte of await client.hello()) client.sendBytes(Uint8Array.of(byte))
  expect(await client.serverInfo()).toMatchObject({ version: 2 })
})

test('two concurrent key agreements do not interfere (P-030)', async () => {
  const waiting: (() => void)[] = []
  const relay = new MemoryRelay({
    agreement: {
      agree: async (privateKey, publicKey) => {
        await new Promise<void>(resolve => waiting.push(resolve))
        return nodeAgreement.agree(privateKey, publicKey)
      },
    },
  })
  const clients = [relay.connect(), relay.connect()] as const
  for (const client of clients) {
    await client.greeting()
    await sayHello(client)
  }
  await until(() => waiting.length === 2, 'both are in their handshake')
  expect(relay.core.pendingLogins).toBe(2)
  for (const resolve of waiting.toReversed()) resolve()
  for (const client of clients) await client.serverInfo()
  expect([relay.core.pendingLogins, relay.core.sessions.size]).toEqual([0, 2])
})

test('relay says in its log how many logins were refused for lack of room, at once and when it closes (P-109)', async () => {
  const warnings: unknown[] = []
  const log = { ...silentLog, warn: (...line: unknown[]) => void warnings.push(line) }
  const relay = new MemoryRelay({ maxClients: 1, log })
  await relay.login()
  const remote = { address: '192.0.2.2', port: 7 }
  for (let n = 0; n < 3; n++) await expect(relay.login({ address: remote })).rejects.toThrow()
  const line = (refused: number, clients: number) => [
    'logins refused',
    { refused: { relay_full: refused }, lastRemote: remote, clients },
  ]
  expect(warnings).toEqual([line(1, 1)])
  const other = relay.connect()
  other.close()
  await settle()
  relay.core.close()
  expect(warnings).toEqual([line(1, 1), line(2, 0)])
  expect(relay.clock.pendingTimers).toBe(0)
})
