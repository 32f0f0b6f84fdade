/** Failures of real relays and NATS: how long until all clients reach each other again. */

import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { NodePrivateKey } from '../../src/keys/node-key.ts'
import { type Failure, HEAL_CLIENTS, PROBE_MS } from '../../src/sim/plan/heal-run.ts'
import { Target } from '../../test/conformance/target.ts'
import type { RawClient } from '../../test/support/raw-client.ts'
import type { Identity } from '../contender.ts'
import type { BenchRegion } from './bench-region.ts'

export const NATS_GONE_MS = 3_000
/** Milliseconds after which a region that has not healed is an error. */
const MAX_HEAL_MS = 60_000
/** Milliseconds between attempts to log in at a relay that starts. */
const LOGIN_PAUSE_MS = 10
/** Until links and NATS connections are at rest again. */
const REST_MS = 1_000

/** Milliseconds from the failure of the first relay, or the return of NATS, until a client of each other relay reaches all. */
export async function healOnce(region: BenchRegion, { caFile }: Identity, failure: Failure): Promise<number> {
  const ca = readFileSync(caFile, 'utf8')
  const targets = region.relays.map(({ url }) => new Target({ url, ca, carriage: 'raw', like: 'ours' }))
  const [first, ...others] = targets
  if (first === undefined) throw new Error('heal region: it has no relay')
  try {
    const probers = await Promise.all(others.map(target => target.login()))
    const keys = Array.from({ length: HEAL_CLIENTS }, () => NodePrivateKey.generate())
    const healedMs = await (failure === 'relay'
      ? healRelay(region, first, probers, keys)
      : healNats(region, first, probers, keys))
    await delay(REST_MS)
    return healedMs
  } finally {
    for (const target of targets) target.closeAll()
  }
}

async function healRelay(
  region: BenchRegion,
  first: Target,
  probers: readonly RawClient[],
  keys: readonly NodePrivateKey[],
): Promise<number> {
  const [relay] = region.relays
  if (relay === undefined) throw new Error('kill relay: there is none')
  await reachAll(probers, keys, privateKey => first.login({ privateKey }))
  const failedAtMs = performance.now()
  await relay.kill()
  const started = relay.start()
  await reachAll(probers, keys, key => loginPatiently(first, key))
  const healedMs = performance.now() - failedAtMs
  await started
  await relay.met(region.relays.length - 1)
  return healedMs
}

async function healNats(
  { nats }: BenchRegion,
  first: Target,
  probers: readonly RawClient[],
  keys: readonly NodePrivateKey[],
): Promise<number> {
  await nats.kill()
  await delay(NATS_GONE_MS / 2)
  const clients = new Map(
    await Promise.all(keys.map(async privateKey => [privateKey, await first.login({ privateKey })] as const)),
  )
  await delay(NATS_GONE_MS / 2)
  await nats.restart()
  const returnedAtMs = performance.now()
  await reachAll(probers, keys, async key => clients.get(key) as RawClient)
  return performance.now() - returnedAtMs
}

/** Sends from each prober, from now on, until the client of each key has heard from all of them. */
async function reachAll(
  probers: readonly RawClient[],
  keys: readonly NodePrivateKey[],
  clientOf: (key: NodePrivateKey) => Promise<RawClient>,
): Promise<void> {
  const open = new Map(keys.map(key => [key, new Set(probers)]))
  const received = keys.map(async key => {
    const client = await clientOf(key)
    while ((open.get(key)?.size ?? 0) > 0) {
      const { source } = await client.messageOf('receivedPacket')
      for (const prober of probers) if (source?.equals(prober.publicKey) === true) open.get(key)?.delete(prober)
    }
  })
  let isDone = false
  const all = Promise.all(received).finally(() => {
    isDone = true
  })
  const giveUpAtMs = performance.now() + MAX_HEAL_MS
  while (!isDone) {
    if (performance.now() > giveUpAtMs) throw new Error(`heal region: not within ${MAX_HEAL_MS} ms`)
    for (const [key, left] of open) for (const prober of left) prober.packet(key.publicKey(), Uint8Array.of(1))
    await Promise.race([all, delay(PROBE_MS)])
  }
  await all
}

/** Logs in as soon as the relay listens. */
export async function loginPatiently(target: Target, privateKey: NodePrivateKey): Promise<RawClient> {
  const giveUpAtMs = performance.now() + MAX_HEAL_MS
  for (;;) {
    try {
      return await target.login({ privateKey })
    } catch (error) {
      if (performance.now() > giveUpAtMs) throw error
      await delay(LOGIN_PAUSE_MS)
    }
  }
}
