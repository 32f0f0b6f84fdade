import { expect, test } from 'vitest'
import { encodeFrame } from '../../src/protocol/encode.ts'
import type { FrameType } from '../../src/protocol/frame-type.ts'
import { MemoryRelay } from '../support/memory-relay.ts'
import { settle, until } from '../support/settle.ts'

/** Drains, and tracks whether that has ended. */
function drain(relay: MemoryRelay, options: { spreadMs: number; tryForMs: number }): { ended: boolean } {
  const state = { ended: false }
  void relay.core.drain(options).then(() => {
    state.ended = true
  })
  return state
}

test('drain tells each client when to reconnect, and closes one after the other (P-093)', async () => {
  const draws = [0, 0.5, 0.9999]
  let logins = 3
  // The first random numbers are keep-alive jitter of the logins.
  const relay = new MemoryRelay({ random: () => (logins-- > 0 ? 0 : (draws.shift() ?? 0)) })
  const clients = [await relay.login(), await relay.login(), await relay.login()] as const
  const drained = drain(relay, { spreadMs: 3_000, tryForMs: 60_000 })
  for (const [at, reconnectInMs] of [0, 1_500, 2_999].entries()) {
    const message = await clients[at]?.message()
    expect(message).toEqual({ type: 'serverRestarting', reconnectInMs, tryForMs: 60_000 })
  }
  const closed = () => clients.map(client => client.isClosed)
  expect(closed()).toEqual([false, false, false])
  relay.clock.advance(0)
  await settle()
  expect(closed()).toEqual([true, false, false])
  relay.clock.advance(999)
  await settle()
  expect(closed()).toEqual([true, false, false])
  relay.clock.advance(1)
  await settle()
  expect(closed()).toEqual([true, true, false])
  expect([drained.ended, relay.core.counters.currentConnections]).toEqual([false, 1])
  relay.clock.advance(1_000)
  await settle()
  expect(closed()).toEqual([true, true, true])
  expect([drained.ended, relay.core.counters.currentConnections, relay.clock.pendingTimers]).toEqual([true, 0, 0])
  expect(relay.core.counters.failures).toEqual({})
})

test('drain accepts no more connections and closes logins immediately (P-093)', async () => {
  const relay = new MemoryRelay()
  const client = await relay.login()
  const pending = relay.connect()
  await pending.greeting()
  const drained = drain(relay, { spreadMs: 1_000, tryForMs: 0 })
  expect([relay.core.isClosed, relay.core.pendingLogins]).toEqual([true, 0])
  await pending.closed()
  await relay.connect().closed()
  expect(client.isClosed).toBe(false)
  relay.clock.advance(0)
  await client.closed()
  await settle()
  expect(drained.ended).toBe(true)
  expect(relay.core.counters).toMatchObject({ accepts: 3, failures: {} })
})

test('drain of a relay without clients ends immediately (P-093)', async () => {
  const relay = new MemoryRelay()
  const drained = drain(relay, { spreadMs: 1_000, tryForMs: 0 })
  await settle()
  expect(drained.ended).toBe(true)
})

test('drain counts a client that leaves on its own as moved (P-093)', async () => {
  const relay = new MemoryRelay()
  const [a, b] = [await relay.login(), await relay.login()]
  const drained = drain(relay, { spreadMs: 1_000, tryForMs: 0 })
  b.close()
  relay.clock.advance(0)
  await a.closed()
  await until(() => relay.core.counters.currentConnections === 0, 'both are gone')
  expect(drained.ended).toBe(false)
  relay.clock.advance(500)
  await settle()
  expect(drained.ended).toBe(true)
})

test('drain flushes the queue of a client before closing it (P-093, P-100)', async () => {
  const relay = new MemoryRelay({ maxWriteBytes: 100 })
  const [slow, sender] = [await relay.login(), await relay.login()]
  slow.conn.pause()
  for (let n = 0; n < 5; n++) sender.packet(slow.publicKey, Uint8Array.of(n))
  await sender.sync()
  const drained = drain(relay, { spreadMs: 0, tryForMs: 0 })
  relay.clock.advance(0)
  await settle()
  expect([slow.isClosed, drained.ended]).toEqual([false, false])
  slow.conn.resume()
  const seen: unknown[] = []
  while (seen.length < 6) {
    const message = await slow.message()
    seen.push(message.type === 'receivedPacket' ? message.data[0] : message.type)
  }
  expect(seen).toEqual([0, 1, 2, 'serverRestarting', 3, 4])
  await slow.closed()
  await settle()
  expect(drained.ended).toBe(true)
  expect(relay.core.counters.packetsSent).toBe(5)
})

test('drain stops reading from a client that it closes (P-093)', async () => {
  const relay = new MemoryRelay()
  const a = await relay.login()
  a.conn.pause()
  a.packet(a.publicKey, 'fills the connection')
  await a.flushed()
  await settle()
  drain(relay, { spreadMs: 0, tryForMs: 0 })
  relay.clock.advance(0)
  a.packet(a.publicKey, 'not read')
  await settle()
  expect(relay.core.counters.packetsReceivedOther).toBe(1)
})

test('drain stops reading from a throttled client, too (P-093, P-103)', async () => {
  const relay = new MemoryRelay({ rateLimit: { bytesPerSecond: 1_000_000, burstBytes: 0 }, writeTimeoutMs: 0 })
  const a = await relay.login()
  a.conn.pause()
  a.packet(a.publicKey, 'fills the connection')
  await a.flushed()
  await settle()
  for (let n = 0; n < 3; n++) a.sendBytes(encodeFrame(0xee as FrameType, new Uint8Array(60_000)))
  a.packet(a.publicKey, 'not read')
  const { counters } = relay.core
  await until(() => counters.rateLimitWaits === 1, 'the client is waiting')
  drain(relay, { spreadMs: 0, tryForMs: 0 })
  relay.clock.advance(10_000)
  relay.core.rateLimit = undefined
  await settle()
  expect(counters.packetsReceivedOther).toBe(1)
})

test('drain closes a client that does not read by its write timeout (P-093, P-101)', async () => {
  const relay = new MemoryRelay()
  const [slow, sender] = [await relay.login(), await relay.login()]
  slow.conn.pause()
  sender.packet(slow.publicKey, 'never read')
  await sender.sync()
  const drained = drain(relay, { spreadMs: 0, tryForMs: 0 })
  relay.clock.advance(1_999)
  await settle()
  expect(drained.ended).toBe(false)
  relay.clock.advance(1)
  await settle()
  expect(drained.ended).toBe(true)
  expect(relay.core.counters.failures).toEqual({ ERR_DERP_WRITE_TIMEOUT: 1 })
})
