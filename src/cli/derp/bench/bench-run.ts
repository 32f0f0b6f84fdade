/** Runs a load test over several processes, and divides what they count into seconds. Pure over its ports. */

import { onAbort } from '../../../lib/abort.ts'
import type { Clock } from '../../../lib/clock.ts'
import { sleep } from '../../../lib/sleep.ts'
import type { LoadPlan } from './bench-plan.ts'
import type { Connected } from './load-run.ts'
import { Tally, type TallyData } from './tally.ts'

const INTERVAL_MS = 1_000

/** One process with its part of the load. */
export interface LoadProcess {
  connect(): Promise<Connected>
  /** Runs to the end, or until {@link stop}. */
  run(): Promise<void>
  /** What it has counted so far; all of it once `run` has ended. */
  tally(): TallyData
  /** Ends connecting or sending early. */
  stop(): void
}

/** What was counted in one second. */
export interface Interval {
  /** Its end, in milliseconds since the start of the measurement. */
  readonly endMs: number
  readonly tally: Tally
}

export interface BenchOutcome {
  readonly connected: Connected
  /** Duration of the measurement, shorter than planned if it was interrupted. */
  readonly measuredMs: number
  readonly total: Tally
  readonly intervals: readonly Interval[]
}

export interface BenchPorts {
  readonly clock: Clock
  readonly processes: readonly LoadProcess[]
  /** Ends it early. */
  readonly ended: AbortSignal
  readonly onConnected: (connected: Connected) => Promise<void>
  /** Called each second of the measurement, and at its end if there is more. */
  readonly onInterval: (interval: Interval, total: Tally) => Promise<void>
}

export async function runBench({ warmupMs, durationMs }: LoadPlan, ports: BenchPorts): Promise<BenchOutcome> {
  const { clock, processes, ended } = ports
  const stopListening = onAbort(ended, () => {
    for (const each of processes) each.stop()
  })
  try {
    const connected = sumOf(await Promise.all(processes.map(each => each.connect())))
    await ports.onConnected(connected)
    if (connected.pairs === 0 || ended.aborted) {
      return { connected, measuredMs: 0, total: new Tally(), intervals: [] }
    }
    const measureMs = clock.now() + warmupMs
    let endMs = measureMs + durationMs
    const stopTiming = onAbort(ended, () => {
      endMs = Math.min(endMs, clock.now())
    })
    const intervals = await divided(measureMs, ports)
    stopTiming()
    const measuredMs = Math.max(0, Math.min(durationMs, endMs - measureMs))
    return { connected, measuredMs, total: totalOf(processes), intervals }
  } finally {
    stopListening()
  }
}

async function divided(measureMs: number, { clock, processes, onInterval }: BenchPorts): Promise<Interval[]> {
  const over = new AbortController()
  const running = Promise.all(processes.map(each => each.run())).finally(() => over.abort())
  const intervals: Interval[] = []
  let before = new Tally()
  const take = async (endMs: number) => {
    const total = totalOf(processes)
    const tally = Tally.sum([total.data()])
    tally.add(before.data(), -1)
    before = total
    if (over.signal.aborted && tally.isEmpty) return
    const interval = { endMs, tally }
    intervals.push(interval)
    await onInterval(interval, total)
  }
  for (let number = 1; !over.signal.aborted; number++) {
    await sleep(clock, measureMs + number * INTERVAL_MS - clock.now(), over.signal)
    if (!over.signal.aborted) await take(number * INTERVAL_MS)
  }
  await running
  await take(Math.max(0, clock.now() - measureMs))
  return intervals
}

function totalOf(processes: readonly LoadProcess[]): Tally {
  return Tally.sum(processes.map(each => each.tally()))
}

function sumOf(parts: readonly Connected[]): Connected {
  return {
    pairs: parts.reduce((sum, { pairs }) => sum + pairs, 0),
    reason: parts.find(({ reason }) => reason !== undefined)?.reason,
  }
}
