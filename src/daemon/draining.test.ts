import { expect, test } from 'vitest'
import { MemoryRelay } from '../../test/support/memory-relay.ts'
import { testMetrics } from '../../test/support/metrics.ts'
import { settle } from '../../test/support/settle.ts'
import type { LogFields } from '../lib/log.ts'
import { Draining } from './draining.ts'
import { packetTotals } from './packet-totals.ts'

const SETTINGS = { delayMs: 2_000, spreadMs: 4_000, tryForMs: 3_000, deadlineMs: 9_000 }

/** A relay with two clients; one has sent a packet to the other and one to an unknown key. */
async function setUp() {
  const relay = new MemoryRelay({ writeTimeoutMs: 0 })
  const { clock, core } = relay
  const [a, b] = [await relay.login(), await relay.login()]
  a.packet(b.publicKey, 'queued')
  a.packet(core.publicKey, 'to nobody')
  await a.sync()
  const lines: (readonly [string, LogFields])[] = []
  const info = (message: string, fields: LogFields = {}) => void lines.push([message, fields])
  const never = () => {
    throw new Error('log: expected info only')
  }
  const stops: number[] = []
  const draining = new Draining({
    clock,
    log: { debug: never, info, warn: never, error: never },
    settings: () => SETTINGS,
    connections: () => core.counters.currentConnections,
    stopListening: isHandover => void stops.push(isHandover ? -clock.now() : clock.now()),
    drain: options => core.drain(options),
    totals: async () => packetTotals(await testMetrics(core)()),
  })
  return { relay, clients: [a, b] as const, draining, lines, stops }
}

test('Draining accepts clients for the delay, closes them, and logs totals of clients and packets (P-174)', async () => {
  const { relay, clients, draining, lines, stops } = await setUp()
  expect(draining.problem).toBeUndefined()
  const run = draining.run()
  expect(draining.problem).toBe('the relay is shutting down')
  relay.clock.advance(1_999)
  await settle()
  expect([stops, relay.core.isClosed]).toEqual([[], false])
  relay.clock.advance(1)
  await settle()
  expect([stops, relay.core.isClosed]).toEqual([[2_000], true])
  relay.clock.advance(0)
  await clients[0].closed()
  relay.clock.advance(2_000)
  await clients[1].closed()
  await run
  expect(lines).toEqual([
    ['drain begins', { connections: 2, delayMs: 2_000, spreadMs: 4_000, deadlineMs: 9_000 }],
    [
      'drain ended',
      {
        told: 2,
        moved: 2,
        cut: 0,
        tookMs: 4_000,
        packetsReceived: 2,
        packetsForwardedIn: 0,
        packetsSent: 1,
        packetsForwardedOut: 0,
        packetsDropped: { unknown_dest: 1 },
        meshPacketsDropped: {},
      },
    ],
  ])
})

test('Draining cuts connections at its deadline, counted from the signal (P-174)', async () => {
  const { relay, clients, draining, lines } = await setUp()
  clients[1].conn.pause()
  clients[0].packet(clients[1].publicKey, 'is not read')
  await clients[0].sync()
  const run = draining.run()
  relay.clock.advance(2_000)
  await settle()
  relay.clock.advance(6_999)
  await settle()
  expect(relay.core.counters.currentConnections).toBe(1)
  relay.clock.advance(1)
  await run
  expect(lines.at(-1)?.[1]).toMatchObject({ told: 2, moved: 1, cut: 1, tookMs: 9_000, packetsSent: 1 })
  expect(lines.at(-1)?.[1]['packetsDropped']).toEqual({ unknown_dest: 1, write_error: 1 })
})

test('Draining skips all waits after hurry, before or during the drain (P-174)', async () => {
  const early = await setUp()
  const run = early.draining.run()
  early.draining.hurry()
  await run
  expect(early.lines.at(-1)?.[1]).toMatchObject({ told: 2, cut: 2, tookMs: 0 })
  const late = await setUp()
  const lateRun = late.draining.run()
  late.relay.clock.advance(2_000)
  await settle()
  late.draining.hurry()
  await lateRun
  expect(late.lines.at(-1)?.[1]).toMatchObject({ told: 2, cut: 2, tookMs: 2_000 })
})

test('Draining for another process skips the delay, gives logins a second, and begins but once (P-174, P-177)', async () => {
  const { relay, clients, draining, stops } = await setUp()
  relay.clock.advance(1)
  const run = draining.run(true)
  await draining.released
  expect([stops, relay.core.isClosed]).toEqual([[-1], false])
  // A signal meanwhile begins no second drain.
  expect(draining.run()).toBe(run)
  const late = await relay.login()
  relay.clock.advance(1_000)
  await settle()
  expect(relay.core.isClosed).toBe(true)
  relay.clock.advance(4_000)
  for (const client of [...clients, late]) await client.closed()
  await run
  expect(stops).toEqual([-1])
})
