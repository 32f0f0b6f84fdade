import { expect, test } from 'vitest'
import type { KeyAgreement } from '../../src/keys/box.ts'
import { nodeAgreement } from '../../src/keys/node-box.ts'
import { NodePrivateKey, NodePublicKey } from '../../src/keys/node-key.ts'
import type { Log } from '../../src/lib/log.ts'
import { silentLog } from '../../src/lib/log.ts'
import { MAX_CLIENT_INFO_LENGTH } from '../../src/protocol/constants.ts'
import { encodeClientToServer, encodeFrame } from '../../src/protocol/encode.ts'

import { FrameType } from '../../src/protocol/frame-type.ts'
import { MAX_LOGIN_BYTES } from '../../src/server/reading/login-memory.ts'
import { MemoryRelay } from '../support/memory-relay.ts'
import type { RawClient } from '../support/raw-client.ts'
import { settle, until } from '../support/settle.ts'

test('relay sends its key, and replies to ClientInfo with ServerInfo (P-030, P-031, P-032, P-034)', async () => {
  const relay = new MemoryRelay()
  const client = relay.connect()
  expect((await client.greeting()).equals(relay.core.publicKey)).toBe(true)
  expect(await client.login()).toEqual({ version: 2, tokenBucketBytesPerSecond: 0, tokenBucketBytesBurst: 0 })
  expect(relay.core.counters).toMatchObject({ accepts: 1, logins: 1, currentConnections: 1 })
})

test('relay announces limits if configured (P-034)', async () => {
  const announcedLimits = { tokenBucketBytesPerSecond: 1000, tokenBucketBytesBurst: 2000 }
  const client = new MemoryRelay({ announcedLimits }).connect()
  expect(await client.login()).toEqual({ version: 2, ...announcedLimits })
})

test('relay reads frames that follow ClientInfo immediately (P-037)', async () => {
  const relay = new MemoryRelay()
  const client = relay.connect()
  await client.greeting()
  const hello = await client.hello()
  const payload = new Uint8Array(8).fill(7)
  const ping = encodeClientToServer({ type: 'ping', payload })
  client.sendBytes(Uint8Array.from([...hello, ...ping, ...ping.subarray(0, 6)]))
  await client.serverInfo()
  expect(await client.message()).toEqual({ type: 'pong', payload })
  client.sendBytes(ping.subarray(6))
  expect(await client.message()).toEqual({ type: 'pong', payload })
})

test('relay routes to a client before sending ServerInfo, and nothing overtakes ServerInfo (P-036)', async () => {
  const relay = new MemoryRelay()
  const sender = await relay.login()
  const privateKey = NodePrivateKey.generate()
  // Registration is pending: the key is known, but not yet to all workers.
  const { promise, resolve } = Promise.withResolvers<void>()
  const register = relay.core.directory.register.bind(relay.core.directory)
  relay.core.directory.register = async session => {
    await register(session)
    await promise
  }
  const client = relay.connect()
  await client.greeting()
  client.sendBytes(await client.hello({ privateKey }))
  await until(() => relay.core.routes.has(privateKey.publicKey()), 'the key has a route')
  sender.packet(privateKey.publicKey(), 'early')
  await sender.sync()
  expect(client.waitingFrames).toEqual([])
  resolve()
  await client.serverInfo()
  expect(await client.message()).toMatchObject({ type: 'receivedPacket', source: sender.publicKey })
})

test('relay closes a login that is not complete in time, counted from accept (P-035)', async () => {
  const relay = new MemoryRelay()
  const silent = relay.connect()
  await silent.greeting()
  relay.clock.advance(9_999)
  await settle()
  expect(silent.isClosed).toBe(false)
  relay.clock.advance(1)
  await silent.closed()
  expect(relay.core.counters.failures).toEqual({ ERR_DERP_LOGIN_TIMEOUT: 1 })
  expect([relay.core.pendingLogins, relay.clock.pendingTimers]).toEqual([0, 0])

  const late = relay.connect({ acceptedAtMs: relay.clock.now() - 8_000 })
  await late.greeting()
  relay.clock.advance(2_000)
  await late.closed()
  expect(relay.core.counters.failures).toEqual({ ERR_DERP_LOGIN_TIMEOUT: 2 })
})

test('relay forgets the deadline once the login is complete (P-035)', async () => {
  const relay = new MemoryRelay()
  const client = await relay.login()
  relay.clock.advance(30_000)
  expect(await client.sync()).toEqual([])
})

const KEY = NodePrivateKey.generate().publicKey()
const hostile: [what: string, code: string, bytes: () => Uint8Array][] = [
  ['HTTP in place of a frame', 'ERR_DERP_FRAME_UNEXPECTED', () => new TextEncoder().encode('GET / HTTP/1.1\r\n\r\n')],
  ['another frame first', 'ERR_DERP_FRAME_UNEXPECTED', () => encodeFrame(FrameType.SendPacket, KEY.bytes)],
  ['a ClientInfo too short', 'ERR_DERP_FRAME_TOO_SHORT', () => encodeFrame(FrameType.ClientInfo, new Uint8Array(55))],
  ['a ClientInfo too long', 'ERR_DERP_FRAME_TOO_LONG', () => Uint8Array.of(FrameType.ClientInfo, 0, 4, 0, 1)],
  ['a forged box', 'ERR_DERP_LOGIN_BOX_FORGED', () => encodeFrame(FrameType.ClientInfo, KEY.bytes, new Uint8Array(80))],
  ['the all-zero key', 'ERR_DERP_KEY_INVALID', () => encodeFrame(FrameType.ClientInfo, new Uint8Array(112))],
]
test.each(hostile)(
  'relay closes a connection that starts with %s, with one log line and one counter (P-003, P-030, P-032)',
  async (_, code, bytes) => {
    const lines: unknown[] = []
    const log: Log = { ...silentLog, debug: (message, fields) => lines.push([message, fields?.['code']]) }
    const relay = new MemoryRelay({ log })
    const other = await relay.login()
    const client = relay.connect()
    await client.greeting()
    client.sendBytes(bytes())
    await client.closed()
    expect(relay.core.counters.failures).toEqual({ [code]: 1 })
    expect(lines).toEqual([['connection ended', code]])
    expect(await other.sync()).toEqual([])
    expect(relay.core.counters.currentConnections).toBe(1)
  },
)

test('relay refuses ClientInfo that is not a JSON object with the right types (P-033)', async () => {
  const relay = new MemoryRelay()
  for (const json of ['', '5', '[]', '{"version":"2"}', '{"CanAckPings":1}', '{"meshKey":true}']) {
    const client = relay.connect()
    await client.greeting()
    client.sendBytes(await client.hello({ json }))
    await client.closed()
  }
  expect(relay.core.counters.failures).toEqual({ ERR_DERP_LOGIN_INFO_MALFORMED: 6 })
})

test('relay accepts any version, nulls, unknown keys and keys in any case (P-033, P-039)', async () => {
  const relay = new MemoryRelay()
  for (const json of ['null', '{}', '{"VERSION":77,"meshkey":null,"mesh_key":"none","AppName":5}']) {
    await relay.login({ json })
  }
  expect(relay.core.counters.logins).toBe(3)
})

test('a closed relay accepts no connections, and closing ends logins and sessions (P-007)', async () => {
  const relay = new MemoryRelay()
  const session = await relay.login()
  const pending = relay.connect()
  await pending.greeting()
  relay.core.close()
  await Promise.all([session.closed(), pending.closed()])
  expect(relay.core.counters.currentConnections).toBe(0)
  expect(relay.core.pendingLogins).toBe(0)
  await relay.connect().closed()
  expect(relay.clock.pendingTimers).toBe(0)
})

test('relay survives a client that leaves during key agreement (P-007)', async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const slow: KeyAgreement = {
    agree: async (privateKey, publicKey) => {
      await promise
      return nodeAgreement.agree(privateKey, publicKey)
    },
  }
  const relay = new MemoryRelay({ agreement: slow })
  const client = relay.connect()
  await client.greeting()
  client.sendBytes(await client.hello())
  await client.flushed()
  client.close()
  await settle()
  resolve()
  await settle()
  expect(relay.core.counters).toMatchObject({ logins: 0, currentConnections: 0 })
  expect(relay.core.pendingLogins).toBe(0)
})

test('relay asks the admission gate, and closes clients that are denied', async () => {
  const asked: unknown[] = []
  const denied = NodePrivateKey.generate()
  const relay = new MemoryRelay({
    admission: {
      admit: async ({ clientKey, remote }) => {
        asked.push([clientKey.toString(), remote?.address])
        if (clientKey.equals(denied.publicKey())) return { admit: false, reason: 'not on the list' }
        return { admit: true }
      },
    },
  })
  const admitted = await relay.login()
  const client = relay.connect()
  await client.greeting()
  client.sendBytes(await client.hello({ privateKey: denied }))
  await client.closed()
  expect(asked).toEqual([
    [admitted.publicKey.toString(), '192.0.2.1'],
    [denied.publicKey().toString(), '192.0.2.1'],
  ])
  expect(relay.core.counters.failures).toEqual({ ERR_DERP_ADMISSION_DENIED: 1 })
  expect(relay.core.routes.has(NodePublicKey.fromBytes(denied.publicKey().bytes))).toBe(false)
})

test('relay ends the longest logins when all together hold too much, and serves others (P-113)', async () => {
  const relay = new MemoryRelay()
  // All but the last byte of the longest ClientInfo.
  const unfinished = new Uint8Array(5 + MAX_CLIENT_INFO_LENGTH - 1)
  unfinished.set(encodeFrame(FrameType.ClientInfo, new Uint8Array(MAX_CLIENT_INFO_LENGTH)).subarray(0, 5))
  const logins: RawClient[] = []
  for (let n = 0; n < 150; n++) {
    const client = relay.connect()
    await client.greeting()
    client.sendBytes(unfinished)
    await client.flushed()
    logins.push(client)
  }
  await settle()
  const fit = MAX_LOGIN_BYTES / MAX_CLIENT_INFO_LENGTH
  expect(relay.core.pendingLogins).toBeLessThanOrEqual(fit)
  expect(relay.core.pendingLogins).toBeGreaterThan(0.8 * fit)
  expect(relay.core.loginMemory.bytes).toBeLessThanOrEqual(MAX_LOGIN_BYTES)
  expect(relay.core.counters.failures).toEqual({ ERR_DERP_BACKLOG_FULL: 150 - relay.core.pendingLogins })
  expect((await relay.login()).isClosed).toBe(false)
  for (const client of logins) client.close()
  await until(() => relay.core.pendingLogins === 0, 'all have left')
  expect(relay.core.loginMemory.bytes).toBe(0)
})
