/** `-total-rate`: shares are compared by counted bytes, and only the bound that must hold is measured in time. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { NodePrivateKey } from '../../src/keys/node-key.ts'
import { Target } from '../conformance/target.ts'
import type { RawClient } from '../support/raw-client.ts'
import { type RunningTlsRelay, startOurRelay, startOurTlsRelay } from '../support/relays.ts'

/** So low that the smallest window, a second and a half of a share, suffices on a busy machine as well. */
const RATE = 150_000
/** Bytes that are counted, and frames that each sender has on their way. */
const COUNTED = 450_000
const SENDERS = [
  { bytes: 100, window: 400 },
  { bytes: 300, window: 1_000 },
  { bytes: 1_280, window: 30 },
  { bytes: 1_280, window: 400 },
  { bytes: 8_000, window: 5 },
  { bytes: 8_000, window: 50 },
]
const NOBODY = NodePrivateKey.generate().publicKey()
/** On Node by `npm test`, on Bun by `npm run test:all`. */
const CASES: readonly (readonly ['plain' | 'TLS', '1' | '2'])[] = [
  ['plain', '1'],
  ['plain', '2'],
  ['TLS', '1'],
  ['TLS', '2'],
]

/** A client that sends a window, waits until it was read, and so on. */
async function keepSending(client: RawClient, { bytes, window }: (typeof SENDERS)[number]): Promise<void> {
  const payload = new Uint8Array(bytes - 32)
  try {
    while (!client.isClosed) {
      for (let n = 0; n < window; n++) client.packet(NOBODY, payload)
      await client.sync()
    }
  } catch {
    // The relay has been stopped.
  }
}

test.each(CASES)(
  'derper over %s with %s workers divides -total-rate among clients of all sizes and windows, and shows who is held back (P-105)',
  async (carriage, workers) => {
    const directory = mkdtempSync(join(tmpdir(), 'total-rate-'))
    const config = join(directory, 'derper.json')
    const limitTo = (rate: number) => writeFileSync(config, JSON.stringify({ 'total-rate': rate }))
    limitTo(RATE)
    const flags = ['-config', config, '-workers', workers]
    const relay = carriage === 'TLS' ? await startOurTlsRelay(flags) : await startOurRelay(flags)
    const { ca } = relay as Partial<RunningTlsRelay>
    const target = new Target({ url: relay.url, carriage: 'raw', like: 'ours', debug: true, ca })
    const clients = await Promise.all(SENDERS.map(() => target.login()))
    const page = async (query: string) => (await target.http(`/debug/clients/${query}`)).body
    const received = async () => {
      const listed = JSON.parse(await page('?all&format=json')).clients as {
        key: string
        rxPkts: number
        heldBackMs: number
      }[]
      const atMs = performance.now()
      const own = clients.map(({ publicKey }) => listed.find(({ key }) => key === String(publicKey)))
      const bytes = own.map((client, at) => (client?.rxPkts ?? 0) * (SENDERS[at]?.bytes ?? 0))
      return { atMs, bytes, total: bytes.reduce((a, b) => a + b), heldBackMs: own.map(client => client?.heldBackMs) }
    }
    for (const [at, client] of clients.entries()) void keepSending(client, SENDERS[at] as (typeof SENDERS)[number])
    // The first frames of all are taken before any is held back.
    await expect.poll(async () => (await received()).total).toBeGreaterThan(100_000)
    const before = await received()
    await expect.poll(async () => (await received()).total - before.total).toBeGreaterThan(COUNTED)
    const after = await received()
    expect(await page('')).toMatch(/[1-6] connections are held back by -total-rate now/)

    const shares = after.bytes.map((bytes, at) => bytes - (before.bytes[at] ?? 0))
    const total = after.total - before.total
    const jain = total ** 2 / (shares.length * shares.reduce((sum, share) => sum + share ** 2, 0))
    expect(jain, `shares ${shares}`).toBeGreaterThan(0.85)
    // A twentieth for the burst and the time that the answers took, and a frame.
    expect(total / ((after.atMs - before.atMs) / 1_000)).toBeLessThan(1.05 * RATE + 8_000)
    for (const heldBackMs of after.heldBackMs) expect(heldBackMs).toBeGreaterThan(0)
    const dropped = ((await target.vars())['derphttp'] as { counter_packets_dropped: Record<string, number> })
      .counter_packets_dropped
    expect(dropped['queue_head'] ?? 0).toBe(0)

    limitTo(0)
    relay.program.child.kill('SIGHUP')
    await relay.program.stderrMatch(/"total-rate".*"msg":"configuration reloaded"/)
    const limited = (await received()).total
    await expect.poll(async () => (await received()).total).toBeGreaterThan(limited + 20 * RATE)
    expect(await page('')).toContain('0 connections are held back by -total-rate now')
    target.closeAll()
    await relay.stop()
    rmSync(directory, { recursive: true })
  },
)
