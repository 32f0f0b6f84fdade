/** Keeps docs/understand/scaling.md and its plots in sync with the measured costs and the runs that verify predictions. */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Costs, packetMicros } from '../../src/sim/plan/costs.ts'
import { leastRelays, mostClients, USUAL_LIMITS } from '../../src/sim/plan/least-relays.ts'
import { modelRates } from '../../src/sim/plan/message-model.ts'
import { type Kind, predict } from '../../src/sim/plan/prediction.ts'
import { USUAL_WORKLOAD, type Workload } from '../../src/sim/plan/workload.ts'
import { fillMarkers } from '../report/document.ts'
import { type LineChart, lineChart, type Point } from '../report/line-chart.ts'
import { table } from '../report/tables.ts'
import { shortNumber } from '../statistics.ts'
import { checksTable, costsTable } from './tables.ts'
import type { Check } from './verify.ts'

const ROOT = join(import.meta.dirname, '../..')
const COSTS = join(ROOT, 'bench/results/region-costs.json')
const CHECKS = join(ROOT, 'bench/results/region-checks.json')
const PAGE = 'docs/understand/scaling.md'
const IMAGES = join(ROOT, 'docs/images')

/** Clients of each relay in the plots over the number of relays. */
const CLIENTS_EACH = 50_000
const SIZES = [2, 3, 5, 10, 20, 30, 50, 70, 100, 150, 200]
const MILLIONS = [1, 10, 100]
const PACKET_SIZES = [64, 256, 512, 768, 1_024, 1_280]
/** Both are sent as many bytes as a packet has, and its headers. */
const FRAME_BYTES = 111
/** Clients of most other workloads: seldom and often sending. */
const SELDOM: Partial<Workload> = { flowEverySeconds: 7_200 }
const OFTEN: Partial<Workload> = { flowEverySeconds: 300 }

/** The committed results. */
export interface ScalingResults {
  readonly costs: Costs
  readonly checks: readonly Check[]
}

const PARTS = {
  costs: ({ costs }: ScalingResults) => costsTable(costs),
  checks: ({ checks }: ScalingResults) => checksTable(checks),
  run: ({ costs }: ScalingResults) => runLine(costs),
  node: ({ costs }: ScalingResults) => nodeTable(costs),
  breaks: ({ costs }: ScalingResults) => breaksTable(costs),
  millions: ({ costs }: ScalingResults) => millionsTable(costs),
}

export function readScaling(): ScalingResults {
  return { costs: JSON.parse(readFileSync(COSTS, 'utf8')), checks: JSON.parse(readFileSync(CHECKS, 'utf8')) }
}

export function writeScalingResults({ costs, checks }: ScalingResults): void {
  writeFileSync(COSTS, `${JSON.stringify(costs, undefined, 2)}\n`)
  writeFileSync(CHECKS, `${JSON.stringify(checks, undefined, 2)}\n`)
}

/** The page and its plots by path, as they are and as they should be. */
export function scalingFiles(results: ScalingResults): ReadonlyMap<string, string> {
  const page = join(ROOT, PAGE)
  const text = fillMarkers(readFileSync(page, 'utf8'), { page: PAGE, prefix: 'scaling', parts: PARTS }, results)
  const plots = Object.entries(chartsOf(results.costs)).map(([name, chart]) => {
    return [join(IMAGES, `scaling-${name}.svg`), lineChart(chart)] as const
  })
  return new Map([[page, text], ...plots])
}

export function writeScaling(results: ScalingResults): void {
  for (const [path, text] of scalingFiles(results)) writeFileSync(path, text)
}

function chartsOf(costs: Costs): Readonly<Record<string, LineChart>> {
  return {
    clients: {
      title: 'One relay of ten: processor time by its clients',
      x: { label: 'clients of the relay', ticks: [0, 20_000, 40_000, 60_000, 80_000, 100_000] },
      y: { label: '% of a core', ticks: [0, 20, 40, 60, 80, 100] },
      limit: { y: USUAL_LIMITS.relayCores * 100, name: 'more leaves no reserve' },
      lines: [
        { name: 'a flow each 5 minutes', points: coresByClients(costs, OFTEN) },
        { name: 'each 30 minutes', points: coresByClients(costs, {}) },
        { name: 'each 2 hours', points: coresByClients(costs, SELDOM) },
      ],
    },
    gigabits: {
      title: 'Gbit/s that one relay sends with 60 % of a core',
      x: { label: 'bytes of a packet', ticks: [64, 256, 512, 768, 1_024, 1_280] },
      y: { label: 'Gbit/s', ticks: [0, 0.2, 0.4, 0.6, 0.8, 1] },
      lines: [
        { name: 'within it, 8 together', points: gigabits(costs, 'localPacket', 8) },
        { name: 'within it, alone', points: gigabits(costs, 'localPacket', 1) },
        { name: 'to another, 8 together', points: gigabits(costs, 'crossPacket', 8) },
        { name: 'to another, alone', points: gigabits(costs, 'crossPacket', 1) },
      ],
    },
    memory: {
      title: `Memory of a relay, ${shortNumber(CLIENTS_EACH)} clients each`,
      x: { label: 'relays', isLog: true, ticks: [2, 5, 10, 20, 50, 100, 200] },
      y: { label: 'GB', isLog: true, ticks: [1, 2, 5, 10, 20] },
      limit: { y: USUAL_LIMITS.relayBytes / 1e9, name: 'a node with 8 GB' },
      lines: [
        { name: 'region', points: bySize(({ region }) => region.relay.memoryBytes / 1e9, costs) },
        { name: 'full mesh', points: bySize(({ mesh }) => mesh.relay.memoryBytes / 1e9, costs) },
      ],
    },
    processor: {
      title: `What a relay spends to know where clients are, ${shortNumber(CLIENTS_EACH)} clients each`,
      x: { label: 'relays', isLog: true, ticks: [2, 5, 10, 20, 50, 100, 200] },
      y: { label: '% of a core', isLog: true, ticks: [0.01, 0.1, 1, 10, 100] },
      lines: [
        { name: 'region', points: bySize(({ sized }) => knowledge('region', sized, costs), costs) },
        { name: 'full mesh', points: bySize(({ sized }) => knowledge('mesh', sized, costs), costs) },
        {
          name: 'region, a flow each 2 h',
          points: bySize(({ sized }) => knowledge('region', { ...sized, ...SELDOM }, costs), costs),
        },
      ],
    },
    start: {
      title: `Until a started relay of a full mesh knows all clients, ${shortNumber(CLIENTS_EACH)} each`,
      x: { label: 'relays', isLog: true, ticks: [2, 5, 10, 20, 50, 100, 200] },
      y: { label: 's of processor time', isLog: true, ticks: [0.1, 1, 10, 100, 1_000] },
      lines: [{ name: 'full mesh', points: SIZES.map(relays => [relays, meshStartSeconds(relays, costs)] as const) }],
    },
  }
}

function coresByClients(costs: Costs, part: Partial<Workload>): readonly Point[] {
  return [1_000, 20_000, 40_000, 60_000, 80_000, 100_000].map(clients => {
    const workload = { ...USUAL_WORKLOAD, ...part, relays: 10, clients: clients * 10 }
    return [clients, predict('region', workload, modelRates(workload), costs).relay.cores * 100]
  })
}

/** A packet to another relay costs two relays half of it each, and each sends it once. */
function gigabits({ micros }: Costs, kind: 'localPacket' | 'crossPacket', burst: number): readonly Point[] {
  return PACKET_SIZES.map(bytes => {
    const each = packetMicros(micros[kind], bytes, burst) / (kind === 'crossPacket' ? 2 : 1)
    return [bytes, (((USUAL_LIMITS.relayCores * 1e6) / each) * (bytes + FRAME_BYTES) * 8) / 1e9]
  })
}

interface Sized {
  readonly sized: Workload
  readonly mesh: ReturnType<typeof predict>
  readonly region: ReturnType<typeof predict>
}

function bySize(of: (sized: Sized) => number, costs: Costs): readonly Point[] {
  return SIZES.map(relays => {
    const sized = { ...USUAL_WORKLOAD, relays, clients: relays * CLIENTS_EACH }
    const rates = modelRates(sized)
    const [mesh, region] = [predict('mesh', sized, rates, costs), predict('region', sized, rates, costs)]
    return [relays, of({ sized, mesh, region })]
  })
}

/** % of a core, without packets, logins and what a relay does anyway. */
function knowledge(kind: Kind, workload: Workload, costs: Costs): number {
  const rates = modelRates(workload)
  const without = { ...rates, localPackets: 0, crossPackets: 0, logins: 0, clients: 0 }
  const idle = costs.micros.idleRelay / 1e6
  const state = kind === 'mesh' ? { ...without, logins: rates.logins } : without
  const free = { ...costs, micros: { ...costs.micros, login: 0 } }
  return (predict(kind, workload, state, free).relay.cores - idle) * 100
}

function meshStartSeconds(relays: number, { micros }: Costs): number {
  return ((relays - 1) * CLIENTS_EACH * micros.meshPresence) / 1e6
}

function runLine({ date, machine, relay, nats, commit }: Costs): string {
  return `Measured ${date} at ${commit} on ${machine.processor}, ${machine.cores} cores; ${relay}, ${nats}.`
}

const BY_FLOWS = [
  ['a flow each 2 hours', SELDOM],
  ['a flow each 30 minutes', {}],
  ['a flow each 5 minutes', OFTEN],
] as const

/** What one relay carries at its limit. */
function nodeTable(costs: Costs): string {
  const rows = BY_FLOWS.map(([name, part]) => {
    let [clients, gigabitsPerSecond, memory] = [0, 0, 0]
    for (let each = 1_000; each < 1e6; each = Math.ceil(each * 1.02)) {
      const workload = { ...USUAL_WORKLOAD, ...part, relays: 10, clients: each * 10 }
      const { relay } = predict('region', workload, modelRates(workload), costs)
      if (relay.cores > USUAL_LIMITS.relayCores || relay.memoryBytes > USUAL_LIMITS.relayBytes) break
      ;[clients, gigabitsPerSecond, memory] = [each, relay.gigabitsPerSecond, relay.memoryBytes]
    }
    return [
      name,
      shortNumber(Number(clients.toPrecision(2))),
      shortNumber(gigabitsPerSecond),
      shortNumber(memory / 1e9),
    ]
  })
  return table(['clients start', 'clients of a relay', 'sends, Gbit/s', 'memory, GB'], rows, 'lrrr')
}

/** The largest region and mesh. */
function breaksTable(costs: Costs): string {
  const rows = BY_FLOWS.map(([name, part]) => {
    const most = (kind: Kind) => shortNumber(mostClients(kind, { ...USUAL_WORKLOAD, ...part }, costs) / 1e6)
    return [name, most('mesh'), most('region')]
  })
  return table(['clients start', 'full mesh, million clients', 'region, million clients'], rows, 'lrr')
}

/** The relays for a number of clients, in as many regions as necessary. */
function millionsTable(costs: Costs): string {
  const rows = MILLIONS.flatMap(millions =>
    (['mesh', 'region'] as const).map(kind => {
      const clients = millions * 1e6
      const regions = Math.ceil(clients / mostClients(kind, USUAL_WORKLOAD, costs))
      const workload = { ...USUAL_WORKLOAD, clients: Math.ceil(clients / regions) }
      const least = leastRelays(kind, workload, costs)
      if (least === undefined) throw new Error(`plan ${millions} million clients: too many for ${regions} regions`)
      const { relays, prediction } = least
      const { relay, nats } = prediction
      return [
        `${millions} million, ${kind === 'mesh' ? 'full meshes' : 'regions'}`,
        shortNumber(regions),
        shortNumber(relays * regions),
        shortNumber(relay.cores * 100),
        shortNumber(relay.memoryBytes / 1e9),
        shortNumber(relay.gigabitsPerSecond),
        nats === undefined ? '' : shortNumber(nats.cores * 100),
        shortNumber(relay.gigabitsPerSecond * relays * regions),
      ]
    }),
  )
  const head = [
    'clients, in',
    'how many',
    'relays in all',
    'a relay: % of a core',
    'memory, GB',
    'sends, Gbit/s',
    'NATS of a region: % of a core',
    'sent in all, Gbit/s',
  ]
  return table(head, rows, 'lrrrrrrr')
}
