/**
 * Many resilient clients under random faults of their network: does their memory stay flat, and are all of them
 * connected again in the end?
 *
 * node --expose-gc test/soak/clients.ts [--minutes 10] [--clients 50]
 */

import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { slope } from '../../bench/growth.ts'
import { ResilientClient } from '../../src/client/resilient/resilient-client.ts'
import { Client } from '../../src/entries/client.ts'
import { NodePrivateKey, type NodePublicKey } from '../../src/keys/node-key.ts'
import { payload } from '../support/payload.ts'
import { type Program, startProgram } from '../support/process.ts'

/** Most bytes by which the heap may grow, per client and minute. */
const MOST_GROWTH = 1024
const SAMPLE_MS = 10_000
/** How long after the last fault all clients have to be connected. */
const RECOVERY_MS = 40_000

/** Everything quicker than in real life, so that ten minutes hold many of its days. */
const TIMES = {
  backoffMinMs: 50,
  backoffMaxMs: 2_000,
  deniedMinMs: 1_000,
  deniedMaxMs: 4_000,
  healthyAfterMs: 500,
  attemptTimeoutMs: 3_000,
  pingIntervalMs: 2_000,
  pingTimeoutMs: 1_000,
  sendWaitMs: 1_000,
}

interface Soaked {
  readonly key: NodePublicKey
  readonly client: ResilientClient<string>
  received: number
  echoed: boolean
}

function soak(urls: readonly string[], at: number, counts: Record<string, number>): Soaked {
  const privateKey = NodePrivateKey.generate()
  const client = new ResilientClient({
    targets: urls.map((_, i) => urls[(at + i) % urls.length] as string),
    createClient: url => new Client(privateKey, url, { connectTimeoutMs: 3_000 }),
    ...TIMES,
  })
  client.events.on('state', ({ state, reason }) => {
    counts[`${state}/${reason}`] = (counts[`${state}/${reason}`] ?? 0) + 1
  })
  return { key: privateKey.publicKey(), client, received: 0, echoed: false }
}

async function receive(soaked: Soaked): Promise<void> {
  for await (const message of soaked.client) {
    if (message.type !== 'receivedPacket') continue
    soaked.received++
    if (message.source.equals(soaked.key)) soaked.echoed = true
  }
}

/** Sends a packet to a random other client ten times a second, delivered or not. */
async function chatter(all: readonly Soaked[], soaked: Soaked, stop: AbortSignal): Promise<void> {
  while (!stop.aborted) {
    const other = all[Math.floor(Math.random() * all.length)] as Soaked
    await soaked.client.send(other.key, payload(Math.floor(Math.random() * 1_400), 1)).catch(() => {})
    await delay(100)
  }
}

/** Bytes that are in use once nothing is left to be collected. */
function usedBytes(collect: NodeJS.GCFunction): number {
  collect()
  collect()
  return process.memoryUsage().heapUsed
}

async function sample(
  minutes: number,
  collect: NodeJS.GCFunction,
): Promise<(readonly [minute: number, bytes: number])[]> {
  const startMs = performance.now()
  const samples: (readonly [number, number])[] = []
  for (let due = 1; due * SAMPLE_MS <= minutes * 60_000; due++) {
    await delay(Math.max(0, startMs + due * SAMPLE_MS - performance.now()))
    const bytes = usedBytes(collect)
    samples.push([(performance.now() - startMs) / 60_000, bytes])
    if ((due * SAMPLE_MS) % 60_000 === 0) console.log(`minute ${(due * SAMPLE_MS) / 60_000}: heap ${bytes} bytes`)
  }
  return samples
}

/** Waits until every client has had a packet back from itself; gives those that have not. */
async function recovered(all: readonly Soaked[]): Promise<Soaked[]> {
  for (const soaked of all) soaked.echoed = false
  const giveUpAtMs = performance.now() + RECOVERY_MS
  for (;;) {
    const left = all.filter(({ client, echoed }) => client.state !== 'connected' || !echoed)
    if (left.length === 0 || performance.now() > giveUpAtMs) return left
    for (const { client, key } of left) client.send(key, payload(100, 1)).catch(() => {})
    await delay(500)
  }
}

async function run(minutes: number, clients: number, faults: Program, collect: NodeJS.GCFunction): Promise<boolean> {
  const ports = await faults.lineWhere(line => JSON.parse(line) as number[])
  const urls = ports.map(port => `http://127.0.0.1:${port}/derp`)
  const counts: Record<string, number> = {}
  const all = Array.from({ length: clients }, (_, at) => soak(urls, at, counts))
  const receiving = all.map(soaked => receive(soaked).catch(() => {}))
  const stop = new AbortController()
  const chattering = all.map(soaked => chatter(all, soaked, stop.signal))
  const samples = await sample(minutes, collect)

  faults.write('calm\n')
  const left = await recovered(all)
  faults.write('counts\n')
  console.log('faults:', await faults.lineWhere(line => line))
  console.log('states:', JSON.stringify(counts))
  console.log(
    'packets received:',
    all.reduce((sum, { received }) => sum + received, 0),
  )
  // The first part of the time fills caches and compiles.
  const growth = slope(samples.filter(([minute]) => minute >= minutes * 0.3)) / clients
  console.log(`heap growth: ${growth.toFixed(1)} bytes per client and minute (at most ${MOST_GROWTH})`)
  console.log(`connected again: ${clients - left.length} of ${clients}`)

  stop.abort()
  for (const { client } of all) await client.close()
  await Promise.all([...receiving, ...chattering])
  return left.length === 0 && growth < MOST_GROWTH
}

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '10' }, clients: { type: 'string', default: '50' } },
})
const [minutes, clients] = [Number(values.minutes), Number(values.clients)]
if (globalThis.gc === undefined || !(minutes >= 1) || !(clients >= 1)) {
  console.error('usage: node --expose-gc test/soak/clients.ts [--minutes N] [--clients N]')
  process.exit(2)
}
const faults = await startProgram(process.execPath, [join(import.meta.dirname, 'faults.ts')])
try {
  process.exitCode = (await run(minutes, clients, faults, globalThis.gc)) ? 0 : 1
} finally {
  await faults.stop()
}
