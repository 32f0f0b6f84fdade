/** Measures what operations cost our relays and NATS: the costs that predictions are made from. */

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { availableParallelism, cpus } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { LISTEN_MS } from '../../src/backplane/limits.ts'
import { NodePrivateKey } from '../../src/keys/node-key.ts'
import {
  type Costs,
  fitPacketCost,
  MESSAGE_RATES,
  type MessageCost,
  type PacketCost,
  type RelayStart,
} from '../../src/sim/plan/costs.ts'
import { HEAL_CLIENTS } from '../../src/sim/plan/heal-run.ts'
import { USUAL_WORKLOAD, type Workload } from '../../src/sim/plan/workload.ts'
import { Target } from '../../test/conformance/target.ts'
import { natsServer } from '../../test/support/go-tools.ts'
import { untilAnswering } from '../../test/support/relays.ts'
import type { Identity } from '../contender.ts'
import { ourRelayOnBun } from '../contenders.ts'
import { processSeconds } from '../load/processor.ts'
import type { LoadCommand } from '../load-program.ts'
import { residentKilobytes } from '../process-memory.ts'
import { currentCommit } from '../results.ts'
import { spreadOf } from '../statistics.ts'
import { BenchRegion, type RegionRelayProcess } from './bench-region.ts'
import { loginPatiently } from './heal.ts'
import { type Repeated, TalkingMember } from './member.ts'
import { measureWorkload, type RegionSample } from './region-load.ts'
import type { StateCosts } from './state-load.ts'

/** Packets that arrive together, in the samples of packets together. */
const BURST = 8
const LARGE = 1_280
const SMALL = 64
/** Clients of a relay whose memory is compared. */
const CLIENTS = { few: 150, many: 1_200 }
/** Messages that NATS receives and sends for one to two relays, and for a search with their two answers. */
const HERE_MESSAGES = 1 + 2
const FIND_MESSAGES = HERE_MESSAGES + 2 * 2
/** The same for one that a relay of two sends. */
const PAIR_MESSAGES = 1 + 1
/** Less is noise. */
const LEAST_MICROS = 0.1
/** Keys in long messages. */
const LONG = 100
/** Restarts in each round, because their durations vary. */
const RESTARTS = 3

/** Long sessions, and flows that keep all routes in use. */
const STEADY: Workload = {
  ...USUAL_WORKLOAD,
  clients: 60,
  sessionSeconds: 3_600,
  awaySeconds: 1,
  stay: 1,
  peers: 3,
  flowEverySeconds: 1,
  flowPackets: 96,
  flowRate: 96,
  replies: 0,
}
/** Flows and logins of many clients: what they leave behind is part of the memory that clients need. */
const SELDOM: Workload = {
  ...STEADY,
  stay: 0.5,
  sessionSeconds: 20,
  flowEverySeconds: 12,
  flowPackets: 48,
  burst: 4,
}
/** Logins only, at any relay. */
const ARRIVALS: Workload = {
  ...STEADY,
  stay: 0.5,
  clients: 80,
  sessionSeconds: 1,
  awaySeconds: 0.1,
  flowEverySeconds: 3_600,
}

/** Of one round, by name; of several, the medians count. */
export type Figures = Readonly<Record<string, number>>

export interface CalibrationPorts {
  readonly load: LoadCommand
  readonly identity: Identity
  readonly note: (text: string) => void
  /** Length of the measured windows. */
  readonly seconds: number
}

/** The medians of the rounds. */
export async function costsOf(all: readonly Figures[]): Promise<Costs> {
  const of = (name: string) => Number(spreadOf(all.map(round => round[name] as number)).median.toPrecision(4))
  const packetCost = (place: 'local' | 'cross'): PacketCost =>
    rounded(
      fitPacketCost({
        large: { bytes: LARGE, alone: of(`${place}Alone`), together: of(`${place}Together`) },
        small: { bytes: SMALL, together: of(`${place}Small`) },
        burst: BURST,
      }),
    )
  const key = Math.max(0, (of('hereKeys') - of('hereAlone')) / (LONG - 1))
  const messageCost = (kind: string, keys = 0): MessageCost => ({
    alone: Math.max(LEAST_MICROS, of(`${kind}Alone`) - keys * key),
    together: Math.max(LEAST_MICROS, of(`${kind}Together`) - keys * key),
  })
  return {
    date: `${new Date().toISOString().slice(0, 16)}Z`,
    commit: currentCommit(),
    machine: { processor: cpus()[0]?.model ?? 'unknown', cores: availableParallelism() },
    relay: ourRelayOnBun().label,
    nats: execFileSync(await natsServer(), ['--version'], { encoding: 'utf8' }).trim(),
    micros: rounded({
      idleRelay: of('idleRelay'),
      idleNats: of('idleNats'),
      login: of('login'),
      find: messageCost('find', 1),
      message: messageCost('here', 1),
      key,
      nats: messageCost('nats'),
      meshPresence: of('meshPresence'),
      localPacket: packetCost('local'),
      crossPacket: packetCost('cross'),
    }),
    bytes: rounded({
      relay: of('relayBytes'),
      client: of('clientBytes'),
      route: of('routeBytes'),
      meshClient: of('meshClientBytes'),
      nats: of('natsBytes'),
      natsRelay: of('natsRelayBytes'),
    }),
    ms: rounded({ listens: of('listens'), hasClients: of('hasClients'), hasNats: of('hasNats') }),
  }
}

export async function measureRound(ports: CalibrationPorts): Promise<Figures> {
  const alone = await withRegion(1, ports, region => measureAlone(region, ports))
  const pair = await withRegion(2, ports, region => measurePair(region, ports))
  const few = await withRegion(2, ports, region => bytesWith(region, ports, CLIENTS.few))
  const many = await withRegion(2, ports, region => bytesWith(region, ports, CLIENTS.many))
  const clientBytes = Math.max(0, many - few) / (CLIENTS.many - CLIENTS.few)
  const relayBytes = few - CLIENTS.few * clientBytes
  const { memoryOfNats, memoryOfNatsForTwo, ...others } = { ...alone, ...pair, ...measureState() }
  return {
    ...others,
    clientBytes,
    relayBytes,
    natsBytes: memoryOfNats,
    natsRelayBytes: Math.max(0, memoryOfNatsForTwo - memoryOfNats),
  }
}

async function withRegion<T>(
  count: number,
  { identity }: CalibrationPorts,
  use: (region: BenchRegion) => Promise<T>,
): Promise<T> {
  const region = await BenchRegion.start(count, identity)
  try {
    return await use(region)
  } finally {
    await region.stop()
  }
}

async function measureAlone(region: BenchRegion, ports: CalibrationPorts) {
  const [relay] = region.relays
  if (relay === undefined) throw new Error('measure a relay: there is none')
  const idle = await coresDuring(region, () => delay(ports.seconds * 1_000))
  const memoryOfNats = residentKilobytes(region.natsPid) * 1_024
  const local = await measurePackets(region, ports, idle.relays, { relays: 1 })
  const arrivals = await measureArrivals(region, ports)
  const { logins, seconds } = arrivals.counts
  const starts: RelayStart[] = []
  while (starts.length < RESTARTS) starts.push(await restart(relay, ports.identity))
  const startOf = (field: keyof RelayStart) => spreadOf(starts.map(start => start[field])).median
  return {
    idleRelay: idle.relays * 1e6,
    idleNats: idle.nats * 1e6,
    memoryOfNats,
    localAlone: local.alone,
    localTogether: local.together,
    localSmall: local.small,
    login: ((arrivals.relayCores - idle.relays) * seconds * 1e6) / logins,
    listens: startOf('listens'),
    hasClients: startOf('hasClients'),
    hasNats: startOf('hasNats'),
  }
}

/** Kills a relay and starts it again, with clients that wait for it. */
async function restart(relay: RegionRelayProcess, { caFile }: Identity): Promise<RelayStart> {
  await relay.kill()
  const beganAtMs = performance.now()
  const joined = relay.start()
  const target = new Target({ url: relay.url, ca: readFileSync(caFile, 'utf8'), carriage: 'raw', like: 'ours' })
  await untilAnswering(Number(target.url.port), 2)
  const listens = performance.now() - beganAtMs
  await Promise.all(Array.from({ length: HEAL_CLIENTS }, () => loginPatiently(target, NodePrivateKey.generate())))
  const hasClients = performance.now() - beganAtMs
  target.closeAll()
  return { listens, hasClients, hasNats: (await joined) - LISTEN_MS }
}

async function measurePair(region: BenchRegion, ports: CalibrationPorts) {
  const idle = await coresDuring(region, () => delay(ports.seconds * 1_000))
  const cross = await measurePackets(region, ports, idle.relays, { relays: 2, locality: 0 })
  const memoryOfNatsForTwo = residentKilobytes(region.natsPid) * 1_024
  // Seldom messages cost NATS more while relays and clients use its processor as well.
  const arrivals = await measureArrivals(region, ports)
  const natsAlone = ((arrivals.natsCores - idle.nats) * 1e6) / (arrivals.natsMessages * PAIR_MESSAGES)
  const member = await TalkingMember.join(region.nats.url)
  const talk = async (kind: Repeated, perSecond: number, keys = 1) => {
    let sent = 0
    const cores = await coresDuring(region, async () => {
      sent = await member.talk(kind, perSecond / 1_000, keys, ports.seconds)
    })
    const micros = (ports.seconds * 1e6) / sent
    const [relays, nats] = [cores.relays - idle.relays, cores.nats - idle.nats]
    return { relay: (relays * micros) / region.relays.length, nats: nats * micros }
  }
  const both = async (perSecond: number) => {
    const [find, here] = [await talk('find', perSecond), await talk('here', perSecond)]
    return { find: find.relay, here: here.relay, nats: (find.nats / FIND_MESSAGES + here.nats / HERE_MESSAGES) / 2 }
  }
  const alone = await both(MESSAGE_RATES.alone)
  const hereKeys = (await talk('here', MESSAGE_RATES.alone, LONG)).relay
  const together = await both(MESSAGE_RATES.together)
  await member.leave()
  return {
    crossAlone: cross.alone,
    crossTogether: cross.together,
    crossSmall: cross.small,
    memoryOfNatsForTwo,
    ...named(alone, 'Alone'),
    natsAlone,
    ...named(together, 'Together'),
    hereKeys,
  }
}

function measureArrivals(region: BenchRegion, { load, identity, seconds }: CalibrationPorts): Promise<RegionSample> {
  return measureWorkload(load, region, identity.caFile, { ...ARRIVALS, relays: region.relays.length }, seconds)
}

function named(figures: Figures, suffix: string): Figures {
  return Object.fromEntries(Object.entries(figures).map(([name, value]) => [`${name}${suffix}`, value]))
}

async function measurePackets(
  region: BenchRegion,
  { load, identity, seconds }: CalibrationPorts,
  idleCores: number,
  place: Pick<Workload, 'relays'> & Partial<Workload>,
) {
  const measure = async (packetBytes: number, burst: number) => {
    const workload = { ...STEADY, ...place, packetBytes, burst }
    const { counts, relayCores } = await measureWorkload(load, region, identity.caFile, workload, seconds)
    return ((relayCores - idleCores) * counts.seconds * 1e6) / (counts.local + counts.cross)
  }
  return {
    alone: await measure(LARGE, 1),
    together: await measure(LARGE, BURST),
    small: await measure(SMALL, BURST),
  }
}

/** Memory of each of two relays after so many clients of its own have sent, to both. */
async function bytesWith(
  region: BenchRegion,
  { load, identity, seconds }: CalibrationPorts,
  clients: number,
): Promise<number> {
  const relays = region.relays.length
  const workload = { ...SELDOM, relays, clients: clients * relays }
  return (await measureWorkload(load, region, identity.caFile, workload, 2 * seconds)).relayBytes
}

function measureState() {
  const path = join(import.meta.dirname, 'state-load.ts')
  const output = execFileSync(ourRelayOnBun().command, ['--expose-gc', path], { encoding: 'utf8' })
  const { routeBytes, meshClientBytes, meshPresenceMicros }: StateCosts = JSON.parse(output)
  return { routeBytes, meshClientBytes, meshPresence: meshPresenceMicros }
}

/** Busy cores of all relays together and of NATS meanwhile. */
async function coresDuring(region: BenchRegion, work: () => Promise<unknown>) {
  const secondsOf = (pids: readonly number[]) => pids.reduce((sum, pid) => sum + processSeconds(String(pid)), 0)
  const pids = region.relays.map(({ pid }) => pid)
  const [relays, nats, atMs] = [secondsOf(pids), secondsOf([region.natsPid]), performance.now()]
  await work()
  const took = (performance.now() - atMs) / 1_000
  return { relays: (secondsOf(pids) - relays) / took, nats: (secondsOf([region.natsPid]) - nats) / took }
}

/** Numbers to four digits, at any depth. */
function rounded<T>(value: T): T {
  return JSON.parse(
    JSON.stringify(value, (_, part: unknown) => (typeof part === 'number' ? Number(part.toPrecision(4)) : part)),
  ) as T
}
