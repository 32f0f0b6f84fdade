import { expect, test } from 'vitest'
import { MemoryRelay } from '../support/memory-relay.ts'
import { settle, until } from '../support/settle.ts'

test('a draining relay tells clients when to reconnect, closes them one by one, and accepts no more (P-093)', async () => {
  const relay = new MemoryRelay({ random: () => 0.5 })
  const clients = [await relay.login(), await relay.login()]
  const pending = relay.connect()
  await pending.greeting()
  let drained = false
  const draining = relay.core.drain({ spreadMs: 4_000, tryForMs: 9_000 }).then(() => {
    drained = true
  })
  await pending.closed()
  await relay.connect().closed()
  for (const client of clients) {
    expect(await client.messageOf('serverRestarting')).toEqual({
      type: 'serverRestarting',
      reconnectInMs: 2_000,
      tryForMs: 9_000,
    })
  }
  relay.clock.advance(0)
  await clients[0]?.closed()
  relay.clock.advance(1_999)
  await settle()
  expect([clients[1]?.isClosed, drained]).toEqual([false, false])
  relay.clock.advance(1)
  await clients[1]?.closed()
  await draining
  expect(relay.core.counters.currentConnections).toBe(0)
})

test('a draining relay flushes the queue of a client before closing it (P-093)', async () => {
  const relay = new MemoryRelay()
  const [sender, slow] = [await relay.login(), await relay.login()]
  slow.conn.pause()
  for (let n = 0; n < 5; n++) {
    sender.packet(slow.publicKey, Uint8Array.of(n))
    await sender.sync()
  }
  const draining = relay.core.drain({ spreadMs: 0, tryForMs: 1_000 })
  relay.clock.advance(0)
  await settle()
  expect(relay.core.counters.currentConnections).toBe(1)
  slow.conn.resume()
  for (let n = 0; n < 5; n++) {
    expect(await slow.messageOf('receivedPacket')).toMatchObject({ data: Uint8Array.of(n) })
  }
  await Promise.all([draining, slow.closed()])
  expect(relay.core.counters).toMatchObject({ packetsSent: 5, currentConnections: 0 })
})

test('a draining relay closes a client that does not read, after the write timeout (P-093, P-101)', async () => {
  const relay = new MemoryRelay()
  const blocked = await relay.login()
  blocked.conn.pause()
  const draining = relay.core.drain({ spreadMs: 0, tryForMs: 1_000 })
  await settle()
  relay.clock.advance(2_000)
  await draining
  expect(relay.core.counters).toMatchObject({ writeTimeouts: 1, currentConnections: 0 })
})

test('relay emits events for connects, disconnects and faults', async () => {
  const relay = new MemoryRelay()
  const heard: unknown[] = []
  relay.core.events.on('clientConnected', session => heard.push(['connected', String(session.key)]))
  relay.core.events.on('clientDisconnected', session => heard.push(['disconnected', String(session.key)]))
  relay.core.events.on('connectionFailed', ({ code, remote }) => heard.push(['failed', code, remote?.address]))
  const client = await relay.login()
  client.sendBytes(Uint8Array.of(0x12, 0, 0, 0, 1, 0))
  await client.closed()
  await until(() => heard.length === 3, 'everything is reported')
  expect(heard).toEqual([
    ['connected', String(client.publicKey)],
    ['failed', 'ERR_DERP_FRAME_TOO_SHORT', '192.0.2.1'],
    ['disconnected', String(client.publicKey)],
  ])
})
