/**
 * The other side of the soak test, in a process of its own so that its memory is not counted: a relay, and proxies
 * before it that spoil connections at random. Prints the proxies' ports; reads commands, one a line.
 */

import { createInterface } from 'node:readline'
import { FAULTS, FaultProxy, type Gate } from '../support/fault-proxy.ts'
import { ListeningRelay } from '../support/listening-relay.ts'

/** Proxies, each of which stands for a node of the region. */
const PROXIES = 3
const EVERY_MS = 100

const relay = await ListeningRelay.start({ keepAliveMs: 10_000 })
const proxies = await Promise.all(Array.from({ length: PROXIES }, () => FaultProxy.start(relay.port)))
const counts: Record<string, number> = {}

/** xorshift32 of a fixed seed, so that runs are alike. */
let state = 0x9e3779b9
function random(): number {
  state ^= state << 13
  state ^= state >>> 17
  state ^= state << 5
  return (state >>> 0) / 2 ** 32
}
const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T

function spoil(): void {
  const proxy = pick(proxies)
  const fault = pick(FAULTS)
  counts[fault] = (counts[fault] ?? 0) + 1
  proxy.spoil(fault, random(), fault === 'halfOpen' ? 20_000 : 200 + random() * 3_000)
  // Now and then a whole node is away, or all of its connections break.
  if (random() < 0.02) setGate(proxy, pick(['refusing', 'silent']))
  if (random() < 0.01) proxy.spoilAll('reset')
}

function setGate(proxy: FaultProxy, gate: Gate): void {
  counts[gate] = (counts[gate] ?? 0) + 1
  proxy.gate = gate
  setTimeout(() => {
    proxy.gate = 'open'
  }, random() * 5_000)
}

const timer = setInterval(spoil, EVERY_MS)
const say = (value: unknown) => process.stdout.write(`${JSON.stringify(value)}\n`)
say(proxies.map(({ port }) => port))
for await (const command of createInterface({ input: process.stdin })) {
  if (command === 'calm') clearInterval(timer)
  else if (command === 'counts') {
    const accepted = proxies.reduce((sum, proxy) => sum + proxy.accepted, 0)
    say({ ...counts, accepted, sessions: relay.relay.core.sessions.size })
  }
}
for (const proxy of proxies) await proxy[Symbol.asyncDispose]()
await relay[Symbol.asyncDispose]()
process.exit()
