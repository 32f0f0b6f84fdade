/** What remains of a login that fails or ends early, and what it costs the relay. */

import { expect, test } from 'vitest'
import { addBrokenLink } from '../../test/support/broken-link.ts'
import { MemoryRelay } from '../../test/support/memory-relay.ts'
import { RecordedConn } from '../../test/support/recorded-conn.ts'
import { settle, until } from '../../test/support/settle.ts'
import { MeshKey } from '../keys/mesh-key.ts'
import { nodeAgreement } from '../keys/node-box.ts'
import { NodePrivateKey } from '../keys/node-key.ts'
import type { DerpError } from '../lib/derp-error.ts'
import { encodeClientToServer, encodeFrame } from '../protocol/encode.ts'
import { FrameType } from '../protocol/frame-type.ts'
import { LoginMemory } from './reading/login-memory.ts'
import { LONG_LOGIN_BYTES } from './reading/login-turns.ts'
import { relayFull } from './server-login.ts'

const MESH_TEXT = '5a'.repeat(32)
const PING = encodeFrame(FrameType.Ping, new Uint8Array(8))
/** Nonce and tag of a box. */
const BOX_OVERHEAD = 24 + 16

/** The errors of connections that end, as the relay notes them. */
function failuresOf({ core }: MemoryRelay): DerpError[] {
  const failures: DerpError[] = []
  const noteFailure = core.noteFailure.bind(core)
  core.noteFailure = (error, ...rest) => {
    failures.push(error)
    noteFailure(error, ...rest)
  }
  return failures
}

/** A ClientInfo for this relay, whose sealed part has `sealedBytes`. */
async function helloTo(relay: MemoryRelay, sealedBytes = 200): Promise<Uint8Array> {
  const client = relay.connect()
  await client.greeting()
  const empty = '{"version":2,"other":""}'
  const json = empty.replace('""', `"${'x'.repeat(sealedBytes - BOX_OVERHEAD - empty.length)}"`)
  const hello = await client.hello({ json })
  client.close()
  await until(() => relay.core.pendingLogins === 0, 'the connection has ended')
  return hello
}

/** Delays registrations until released, as with several workers. */
function holdRegistrations({ core }: MemoryRelay): () => void {
  const { promise, resolve } = Promise.withResolvers<void>()
  const register = core.directory.register.bind(core.directory)
  core.directory.register = async session => {
    await register(session)
    await promise
  }
  return resolve
}

test('a login that fails says which rule it broke (P-035, P-113)', async () => {
  const relay = new MemoryRelay()
  Object.defineProperty(relay.core, 'loginMemory', { value: new LoginMemory(100_000) })
  const failures = failuresOf(relay)
  const [late, long] = [relay.connect(), relay.connect()]
  await long.greeting()
  long.sendBytes(await long.hello({ json: `{"version":2,"other":"${'x'.repeat(150_000)}"}` }))
  await long.closed()
  relay.clock.advance(10_000)
  await late.closed()
  expect(failures).toMatchObject([
    { code: 'ERR_DERP_BACKLOG_FULL', clause: 'P-113' },
    { code: 'ERR_DERP_LOGIN_TIMEOUT', clause: 'P-035' },
  ])
  expect(relayFull(3)).toMatchObject({ code: 'ERR_DERP_RELAY_FULL', clause: 'P-109' })
})

test('a login that fails keeps the cause', async () => {
  const fault = new TypeError('no such curve')
  const relay = new MemoryRelay({ agreement: { agree: () => Promise.reject(fault) } })
  const failures = failuresOf(relay)
  const [broken, reset] = [new RecordedConn(), new RecordedConn()]
  relay.core.accept(reset)
  const cause = new Error('connection reset')
  reset.handler.onClose(cause)
  relay.core.accept(broken)
  broken.handler.onData(
    encodeFrame(FrameType.ClientInfo, NodePrivateKey.generate().publicKey().bytes, new Uint8Array(80)),
  )
  await until(() => failures.length === 2, 'both have failed')
  expect(failures).toMatchObject([
    { code: 'ERR_DERP_CONN_CLOSED', cause },
    { code: 'ERR_DERP_LOGIN_FAILED', cause: fault },
  ])
})

test('a login that is over forgets later faults of its key agreement (P-007)', async () => {
  const { promise, reject } = Promise.withResolvers<Uint8Array>()
  const relay = new MemoryRelay({ agreement: { agree: () => promise } })
  const conn = new RecordedConn()
  relay.core.accept(conn)
  conn.handler.onData(
    encodeFrame(FrameType.ClientInfo, NodePrivateKey.generate().publicKey().bytes, new Uint8Array(80)),
  )
  conn.handler.onClose()
  const unhandled: unknown[] = []
  const note = (reason: unknown) => void unhandled.push(reason)
  process.on('unhandledRejection', note)
  reject(new Error('too late'))
  await settle()
  process.off('unhandledRejection', note)
  expect([unhandled, relay.core.counters.failures]).toEqual([[], { ERR_DERP_CONN_CLOSED: 1 }])
})

test('a fault in a frame that came with the login ends the session, and is counted (P-037)', async () => {
  const relay = new MemoryRelay()
  const destination = NodePrivateKey.generate().publicKey()
  addBrokenLink(relay, destination)
  const client = relay.connect()
  await client.greeting()
  const packet = encodeClientToServer({ type: 'sendPacket', destination, data: Uint8Array.of(1) })
  client.sendBytes(Buffer.concat([await client.hello(), packet]))
  await client.closed()
  expect([relay.core.counters.failures, relay.core.sessions.size]).toEqual([{ ERR_DERP_LOGIN_FAILED: 1 }, 0])
})

test('a failed login holds nothing of what the platform still delivers (P-113)', async () => {
  const relay = new MemoryRelay()
  const conn = new RecordedConn()
  relay.core.accept(conn)
  relay.clock.advance(10_000)
  expect(conn.isDestroyed).toBe(true)
  conn.handler.onData(encodeFrame(FrameType.ClientInfo, new Uint8Array(200_000)).subarray(0, 150_000))
  expect(relay.core.loginMemory.bytes).toBe(0)
})

test('a client that is refused at once still gets the relay’s key: it may have expected another (P-213)', () => {
  const relay = new MemoryRelay()
  const conn = new RecordedConn()
  relay.core.accept(conn)
  conn.handler.onData(PING)
  expect([conn.isDestroyed, Buffer.concat(conn.written)]).toEqual([true, Buffer.from(relay.core.greeting)])
})

test('a login that fails drops what was to be sent (P-104)', async () => {
  const relay = new MemoryRelay()
  const client = relay.connect()
  client.conn.pause()
  await settle()
  expect(relay.core.queueBudget.heldBytes).toBe(relay.core.greeting.length)
  client.sendBytes(PING)
  await client.closed()
  relay.clock.advance(2_000)
  const { counters, queueBudget } = relay.core
  expect([queueBudget.heldBytes, counters.writeTimeouts, relay.clock.pendingTimers]).toEqual([0, 0, 0])
})

test('closing the relay drops what logins were to be sent (P-104)', async () => {
  const relay = new MemoryRelay()
  const client = relay.connect()
  client.conn.pause()
  await settle()
  expect(relay.core.queueBudget.heldBytes).toBe(relay.core.greeting.length)
  expect(await relay.core.drain({ spreadMs: 0, tryForMs: 0 })).toEqual({ told: 0, moved: 0, cut: 0 })
  await client.closed()
  relay.clock.advance(2_000)
  const { counters, queueBudget } = relay.core
  expect([queueBudget.heldBytes, counters.writeTimeouts, relay.clock.pendingTimers]).toEqual([0, 0, 0])
})

test('the relay reads no more until a login is complete, and keeps what arrives nevertheless (P-037, P-113)', async () => {
  const relay = new MemoryRelay({ admission: { admit: () => admitted } })
  const { promise: admitted, resolve } = Promise.withResolvers<{ admit: true }>()
  const hello = await helloTo(relay, 5_000)
  const conn = new RecordedConn()
  relay.core.accept(conn)
  conn.handler.onData(Buffer.concat([hello, PING, encodeFrame(0xee as FrameType, new Uint8Array(10_000))]))
  const firstBytes = 5_000 + PING.length + 5 + 10_000
  expect([conn.isPaused, relay.core.loginMemory.bytes]).toEqual([true, firstBytes])
  conn.handler.onData(encodeFrame(0xee as FrameType, new Uint8Array(20_000)))
  expect(relay.core.loginMemory.bytes).toBe(firstBytes + 5 + 20_000)
  await settle()
  expect([relay.core.sessions.size, relay.core.pendingLogins]).toEqual([0, 1])
  resolve({ admit: true })
  await until(() => relay.core.counters.sentPong === 1, 'the Ping is answered')
  expect([conn.isPaused, relay.core.loginMemory.bytes]).toEqual([false, 0])
})

test('the relay spends no key agreement on a login that holds too much (P-113)', async () => {
  let agreements = 0
  const agree: typeof nodeAgreement.agree = (...keys) => {
    agreements++
    return nodeAgreement.agree(...keys)
  }
  const relay = new MemoryRelay({ agreement: { agree } })
  const hello = await helloTo(relay, 150_000)
  Object.defineProperty(relay.core, 'loginMemory', { value: new LoginMemory(100_000) })
  const conn = new RecordedConn()
  relay.core.accept(conn)
  conn.handler.onData(hello)
  await settle()
  expect([conn.isDestroyed, agreements]).toEqual([true, 0])
})

test('nobody is asked about a client that leaves during key agreement (P-007)', async () => {
  const agreed = Promise.withResolvers<void>()
  const asked: unknown[] = []
  const relay = new MemoryRelay({
    meshKey: MeshKey.parse(MESH_TEXT),
    agreement: { agree: (...keys) => agreed.promise.then(() => nodeAgreement.agree(...keys)) },
    admission: {
      admit: async request => {
        asked.push(request)
        return { admit: true }
      },
    },
  })
  for (const info of [{}, { meshKey: MESH_TEXT }]) {
    const client = relay.connect()
    await client.greeting()
    client.sendBytes(await client.hello({ info }))
    await client.flushed()
    client.close()
  }
  await until(() => relay.core.pendingLogins === 0, 'both have left')
  agreed.resolve()
  await settle()
  expect([asked, relay.core.counters.logins, relay.core.sessions.size]).toEqual([[], 0, 0])
})

test.each([
  ['at once', LONG_LOGIN_BYTES, 5],
  ['one per turn of the event loop', LONG_LOGIN_BYTES + 1, 1],
])('boxes of logins are opened %s if they have %i bytes (P-112)', async (_, sealedBytes, most) => {
  const relay = new MemoryRelay()
  const hello = await helloTo(relay, sealedBytes)
  // The transport does not know where they come from.
  const conns = Array.from({ length: 5 }, () => new RecordedConn())
  for (const conn of conns) {
    relay.core.accept(conn)
    conn.handler.onData(hello)
  }
  const inTurns: number[] = []
  for (let before = 0; before < conns.length; before = relay.core.counters.logins) {
    await settle(1)
    inTurns.push(relay.core.counters.logins - before)
  }
  expect(Math.max(...inTurns)).toBe(most)
})

test('a relay without room refuses a client before it asks the admission gate (P-109)', async () => {
  const asked: string[] = []
  const relay = new MemoryRelay({
    maxClients: 1,
    admission: {
      admit: async ({ clientKey }) => {
        asked.push(clientKey.toString())
        return { admit: true }
      },
    },
  })
  const first = await relay.login()
  await expect(relay.login()).rejects.toThrow()
  expect(asked).toEqual([first.publicKey.toString()])
  first.close()
  await until(() => relay.core.sessions.size === 0, 'the client has left')
  const next = await relay.login()
  expect(asked).toEqual([first, next].map(({ publicKey }) => publicKey.toString()))
})

test('of clients that are admitted at the same time only as many log in as there is room (P-109)', async () => {
  const { promise: admitted, resolve } = Promise.withResolvers<{ admit: true }>()
  let asked = 0
  const relay = new MemoryRelay({
    maxClients: 1,
    admission: {
      admit: () => {
        asked++
        return admitted
      },
    },
  })
  const logins = [relay.login(), relay.login(), relay.login()]
  const outcomes = Promise.allSettled(logins)
  await until(() => asked === 3, 'all wait to be admitted')
  resolve({ admit: true })
  expect((await outcomes).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected'])
  expect(relay.core.counters.failures).toEqual({ ERR_DERP_RELAY_FULL: 2 })
})

test('a client that shows another mesh key is an ordinary one, and a warning says so (P-038)', async () => {
  const warnings: unknown[] = []
  const log = { debug() {}, info() {}, warn: (...line: unknown[]) => void warnings.push(line), error() {} }
  const relay = new MemoryRelay({ meshKey: MeshKey.parse(MESH_TEXT), log })
  await relay.login({ info: { meshKey: MESH_TEXT } })
  await relay.login()
  expect(warnings).toEqual([])
  const other = await relay.login({ info: { meshKey: 'c3'.repeat(32) } })
  expect([...relay.core.sessions].map(({ canMesh }) => canMesh)).toEqual([true, false, false])
  expect(warnings).toEqual([
    [
      'mesh peer refused: relays of a mesh must share one key',
      expect.objectContaining({ logins: 1, client: other.publicKey.shortString() }),
    ],
  ])
})

test('a session that is closed while it is being registered is not started (P-036)', async () => {
  const relay = new MemoryRelay()
  const resume = holdRegistrations(relay)
  const conn = new RecordedConn()
  const hello = await helloTo(relay)
  relay.core.accept(conn)
  conn.handler.onData(Buffer.concat([hello, PING]))
  await until(() => relay.core.sessions.size === 1, 'the session is being registered')
  for (const { key } of relay.core.sessions) relay.core.closePeer(key)
  resume()
  await settle()
  const { counters, queueBudget, timers, pendingLogins } = relay.core
  expect([counters.loginMs.count, counters.gotPing, queueBudget.heldBytes]).toEqual([0, 0, 0])
  expect([pendingLogins, timers.size, conn.isDestroyed]).toEqual([0, 0, true])
})
