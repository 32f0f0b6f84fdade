/** Measures one flood of one relay. */

import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { type BenchRelay, type Contender, type Identity, startRelay } from '../contender.ts'
import { machineSeconds, processSeconds } from '../load/processor.ts'
import { type FloodCounts, inBackground, type LoadCommand, LoadProgram, type LoadResults } from '../load-program.ts'
import type { Values } from '../scenario.ts'
import { type Flood, type FloodSetup, futureRelay } from './flood.ts'

/** Packets per second of the pair. */
const PAIR_RATE = 500
const PACKET_BYTES = 64

export interface FloodBench {
  readonly load: LoadCommand
  readonly identity: Identity
  readonly seconds: number
  /** How a relay is stopped: one that writes a profile has to be asked. */
  readonly stop: NodeJS.Signals
  note(text: string): void
}

/** Attempts at a measurement: another program may take the port that was free, or the machine stall. */
const ATTEMPTS = 3

export async function measureFlood(flood: Flood, contender: Contender, bench: FloodBench): Promise<Values> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await attemptFlood(flood, contender, bench)
    } catch (error) {
      if (attempt === ATTEMPTS) throw error
      bench.note(`${flood.id} of ${contender.label}, again: ${(error as Error).message.trim()}`)
    }
  }
}

async function attemptFlood(flood: Flood, contender: Contender, bench: FloodBench): Promise<Values> {
  const setup = (await flood.setUp?.(contender, bench.identity)) ?? {}
  try {
    return await withSetup(flood, setup, contender, bench)
  } finally {
    setup.end?.()
  }
}

async function withSetup(
  flood: Flood,
  setup: FloodSetup,
  contender: Contender,
  { load, identity, seconds, stop }: FloodBench,
): Promise<Values> {
  const stack = new AsyncDisposableStack()
  const attackers = async (relay: Pick<BenchRelay, 'url' | 'caFile' | 'pid'>) => {
    const flags = { attack: flood.attack, duration: 0, ...setup.flags }
    const program = await LoadProgram.start<'flood'>(inBackground(load), 'flood', relay, flags)
    stack.defer(() => program.stop())
    await program.ready()
    return program
  }
  try {
    const first = setup.startsFirst === true ? await attackers(futureRelay(identity)) : undefined
    const relay = await startRelay(contender, flood.carriage, identity, setup)
    stack.defer(() => relay.stop(stop))
    const pairFlags = { rate: PAIR_RATE, size: PACKET_BYTES, warmup: '300ms', duration: 0 }
    const pair = await LoadProgram.start<'paced'>(load, 'paced', relay, pairFlags)
    stack.defer(() => pair.stop())
    await pair.ready()
    setup.pairIsIn?.()
    return await measureWindow(flood, relay, pair, first ?? (await attackers(relay)), seconds)
  } finally {
    await stack.disposeAsync()
  }
}

async function measureWindow(
  { outcome }: Flood,
  relay: BenchRelay,
  pair: LoadProgram<'paced'>,
  attackers: LoadProgram<'flood'>,
  seconds: number,
): Promise<Values> {
  const known = [relay.pid, pair.pid, attackers.pid]
  const then = secondsOf(known)
  attackers.begin()
  pair.begin()
  await delay(seconds * 1_000)
  const now = secondsOf(known)
  const real = now.at - then.at
  const used = now.each.map((value, at) => value - (then.each[at] as number))
  const cpu = used[0] as number
  const others = now.machine - then.machine - used.reduce((sum, value) => sum + value, 0)
  // The attackers continue until the last packets of the window have arrived.
  const times = await pair.finish()
  const rss = mostMemory(relay.pid)
  const counts = await attackers.finish()
  return {
    ...pairValues(times),
    cpu: cpu / real,
    perKib: counts.bytes === 0 ? 0 : (cpu / (counts.bytes / 1_024)) * 1e6,
    sent: counts.bytes / real / 1e6,
    rss,
    others: (Math.max(0, others) / real / availableParallelism()) * 100,
    ...outcomeOf(outcome, counts, real),
  }
}

function pairValues({ ageMicros, lost }: LoadResults['paced']): Values {
  const { p50, p99, max, count } = ageMicros
  return { p50: p50 / 1e3, p99: p99 / 1e3, max: max / 1e3, lost: (lost / Math.max(1, count + lost)) * 100 }
}

function outcomeOf(outcome: Flood['outcome'], counts: FloodCounts, seconds: number): Values {
  if (outcome === undefined) return {}
  return { [outcome]: outcome === 'answered' ? counts.answered / seconds : counts[outcome] }
}

interface Seconds {
  readonly at: number
  readonly each: readonly number[]
  readonly machine: number
}

function secondsOf(pids: readonly number[]): Seconds {
  const each = pids.map(pid => processSeconds(String(pid)))
  return { at: performance.now() / 1_000, each, machine: machineSeconds() }
}

/** The most resident memory so far, in MB. */
function mostMemory(pid: number): number {
  const [, kib = '0'] = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return (Number(kib) * 1_024) / 1e6
}
