/** Measures a running region. */

import type { LoadCommand } from '../load-program.ts'
import { peakKilobytes } from '../process-memory.ts'
import { Crew } from './crew.ts'
import type { Memory, RegionRelay } from './region-relay.ts'
import type { RegionResults, RelayGrowth } from './report.ts'

/** How many of the killed relay's clients are sought by others meanwhile. */
const SOUGHT = 100

export interface RunningRegion {
  readonly relays: readonly RegionRelay[]
  readonly load: LoadCommand
  readonly natsPid: number
}

export interface RegionPlan {
  /** Clients of each relay. */
  readonly each: number
  /** How many of those talk to one of every other relay. */
  readonly flows: number
  readonly note: (text: string) => void
}

export async function measureRegion(region: RunningRegion, plan: RegionPlan): Promise<RegionResults> {
  const urls = region.relays.map(({ relay }) => relay.url)
  const seed = crypto.randomUUID()
  const crews: Crew[] = []
  try {
    for (const [home, { relay }] of region.relays.entries()) {
      crews.push(await Crew.start(region.load, { urls, home, seed, caFile: relay.caFile }))
    }
    return await measureWith(crews, region, plan)
  } finally {
    await Promise.all(crews.map(crew => crew.stop()))
  }
}

async function measureWith(
  crews: readonly Crew[],
  { relays, natsPid }: RunningRegion,
  { each, flows, note }: RegionPlan,
): Promise<RegionResults> {
  // As many as talk later: links are up then, code is compiled, and buffers have the size that such a burst needs.
  const first = Math.min(flows, Math.floor(each / 2))
  await Promise.all(crews.map(crew => crew.login(first)))
  await Promise.all(crews.map(crew => crew.talk(0, first)))
  const allMemory = () => Promise.all(relays.map(relay => relay.memory()))
  const warm = await allMemory()
  note(`${first} clients of each relay talk to all others`)
  const beganMs = performance.now()
  const own: Memory[] = []
  for (const [at, relay] of relays.entries()) {
    const before = await relay.memory()
    await crews[at]?.login(each - first)
    own.push(minus(await relay.memory(), before))
    note(`${each} clients at relay ${at}`)
  }
  const loginSeconds = (performance.now() - beganMs) / 1_000
  // Links and routes that have expired meanwhile are there again, as at the beginning.
  await Promise.all(crews.map(crew => crew.talk(0, first)))
  const full = await allMemory()
  const routesBefore = await routesOf(relays)
  const talks = await Promise.all(crews.map(crew => crew.talk(first, Math.min(each, first + flows))))
  const talked = await allMemory()
  const routes = await routesOf(relays)
  note('flows between all relays have begun')
  const growth = relays.map((_, at): RelayGrowth => {
    const [start, mine, all, end] = [warm[at], own[at], full[at], talked[at]] as [Memory, Memory, Memory, Memory]
    const more = (routes[at] as number) - (routesBefore[at] as number)
    return { others: minus(minus(all, start), mine), flows: minus(end, all), routes: more }
  })
  const called = Math.min(SOUGHT, first)
  const recovery = await recover(crews, relays, called)
  return {
    clients: each * relays.length,
    loginSeconds,
    relays: growth,
    talks,
    natsMegabytes: peakKilobytes(natsPid) / 1_024,
    recovery,
    expected: { answered: each * (relays.length - 1), called: called * (relays.length - 1) },
  }
}

/** Kills the last relay. */
async function recover(crews: readonly Crew[], relays: readonly RegionRelay[], called: number) {
  const last = relays.length - 1
  await (relays[last] as RegionRelay).relay.stop('SIGKILL')
  const recovery = (crews[last] as Crew).recover(called)
  await Promise.all(crews.slice(0, last).map(crew => crew.seek(last, called)))
  return recovery
}

function routesOf(relays: readonly RegionRelay[]): Promise<readonly number[]> {
  return Promise.all(relays.map(relay => relay.metric('gauge_region_routes')))
}

function minus(a: Memory, b: Memory): Memory {
  return { heap: a.heap - b.heap, resident: a.resident - b.resident }
}
