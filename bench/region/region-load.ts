/** A workload of the planner on real relays, with stock clients: what it does, and what that costs. */

import { readFileSync } from 'node:fs'
import { localityOf, type Workload } from '../../src/sim/plan/workload.ts'
import { Target } from '../../test/conformance/target.ts'
import { processSeconds } from '../load/processor.ts'
import { type LoadCommand, LoadProgram, type RegionCounts } from '../load-program.ts'
import { residentKilobytes } from '../process-memory.ts'
import type { BenchRegion } from './bench-region.ts'

const WARMUP_SECONDS = 2
/** The metric of a relay. */
const RECEIVED = 'counter_region_messages_received'

export interface RegionSample {
  readonly counts: RegionCounts
  /** Seconds of processor time per second: of all relays together, and of NATS. */
  readonly relayCores: number
  readonly natsCores: number
  /** Resident memory of each relay at the end, on average. */
  readonly relayBytes: number
  readonly natsBytes: number
  /** Messages delivered to relays by NATS, per second. */
  readonly natsMessages: number
}

/** Puts the workload on the region's relays, and measures for so long. */
export async function measureWorkload(
  load: LoadCommand,
  region: BenchRegion,
  caFile: string,
  workload: Workload,
  seconds: number,
): Promise<RegionSample> {
  const [first] = region.relays
  if (first === undefined) throw new Error('measure workload: the region has no relay')
  const pids = region.relays.map(({ pid }) => pid)
  const flags = {
    relays: region.relays.map(({ url }) => url).join(','),
    clients: workload.clients,
    session: `${workload.sessionSeconds}s`,
    away: `${workload.awaySeconds}s`,
    stay: workload.stay,
    locality: localityOf(workload),
    replies: workload.replies,
    peers: workload.peers,
    'flow-every': `${workload.flowEverySeconds}s`,
    'flow-packets': workload.flowPackets,
    'flow-rate': workload.flowRate,
    burst: workload.burst,
    size: workload.packetBytes,
    warmup: `${WARMUP_SECONDS}s`,
    duration: `${seconds}s`,
  }
  const program = await LoadProgram.start(load, 'region', { url: first.url, caFile, pid: 0 }, flags)
  try {
    await program.ready()
    const secondsOf = (all: readonly number[]) => all.reduce((sum, pid) => sum + processSeconds(String(pid)), 0)
    const [relays, nats, atMs] = [secondsOf(pids), secondsOf([region.natsPid]), performance.now()]
    const before = await messagesReceived(region, caFile)
    const counts = await program.result()
    const took = (performance.now() - atMs) / 1_000
    const [relayCores, natsCores] = [(secondsOf(pids) - relays) / took, (secondsOf([region.natsPid]) - nats) / took]
    const after = await messagesReceived(region, caFile)
    return {
      counts,
      relayCores,
      natsCores,
      relayBytes: (pids.reduce((sum, pid) => sum + residentKilobytes(pid), 0) / pids.length) * 1_024,
      natsBytes: residentKilobytes(region.natsPid) * 1_024,
      natsMessages: ((after.count - before.count) * 1_000) / (after.atMs - before.atMs),
    }
  } finally {
    await program.stop()
  }
}

interface Received {
  readonly count: number
  readonly atMs: number
}

/** Messages that all relays have received so far. */
async function messagesReceived({ relays }: BenchRegion, caFile: string): Promise<Received> {
  const ca = readFileSync(caFile, 'utf8')
  const targets = relays.map(({ url }) => new Target({ url, ca, carriage: 'raw', like: 'ours', debug: true }))
  const all = await Promise.all(targets.map(target => target.vars()))
  const counts = all.map(({ derphttp }) => Number((derphttp as Record<string, unknown>)[RECEIVED] ?? Number.NaN))
  return { count: counts.reduce((sum, count) => sum + count, 0), atMs: performance.now() }
}
