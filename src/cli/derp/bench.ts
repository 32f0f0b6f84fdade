/** `derp bench`: loads a relay, and measures throughput, loss and latency. */

import { randomInt } from 'node:crypto'
import { type Command, InvalidArgumentError } from 'commander'
import { formatRegion } from '../../derpmap/regions.ts'
import { systemClock } from '../../lib/clock.ts'
import { MAX_PACKET_LENGTH } from '../../protocol/constants.ts'
import type { CommandIo } from '../command-io.ts'
import { EXIT_FAILED, EXIT_OK } from '../exit.ts'
import { type LoadPlan, partsOf } from './bench/bench-plan.ts'
import { type BenchReport, benchReport } from './bench/bench-report.ts'
import { type BenchOutcome, type LoadProcess, runBench } from './bench/bench-run.ts'
import { LiveView } from './bench/live-view.ts'
import { OtherProcess, ownProcess } from './bench/load-process.ts'
import { type LoadSetup, loadRunOf } from './bench/load-setup.ts'
import { STAMP_BYTES } from './bench/packet-stamp.ts'
import { reportCsv } from './bench/report-csv.ts'
import { reportText } from './bench/report-text.ts'
import { readCount, readDuration } from './option-values.ts'
import { unusable } from './relay/relay-address.ts'
import { addRelayOptions, type RelayAccess, type RelayFlags, readRelayAccess } from './relay/relay-options.ts'
import type { AddSubcommand } from './subcommand.ts'

const DEFAULTS = { pairs: 10, size: 1_280, window: 32, warmupMs: 1_000, durationMs: 10_000, processes: 1 } as const
const MAX_PROCESSES = 256

interface BenchFlags extends RelayFlags {
  readonly pairs?: number
  readonly size?: number[]
  readonly rate?: number
  readonly window?: number
  readonly warmup?: number
  readonly duration?: number
  readonly processes?: number
  readonly keyFile?: string[]
  readonly meshPskFile?: string
  readonly json?: boolean
  readonly csv?: boolean
}

export const addBench: AddSubcommand = (parent, { io, done }) => {
  addLoadOptions(
    addRelayOptions(parent.command('bench').description('load a relay; measure throughput, loss and latency')),
  )
    .option('--key-file <files...>', 'keys that the relay admits: two for each pair, or one that sends to itself')
    .option('--mesh-psk-file <file>', 'mesh key, with which a relay admits clients whatever its rules')
    .option('--json', 'print JSON')
    .option('--csv', 'print CSV: a line for each second, and one for all')
    .action(async (relay: string | undefined, flags: BenchFlags) => {
      if (flags.json && flags.csv) throw unusable('use --json: --csv was given as well')
      const plan = planOf(flags)
      const access = await readRelayAccess(relay, flags, io)
      const { keyFile: keyFiles = [], meshPskFile } = flags
      const parts = partsOf(plan, flags.processes ?? DEFAULTS.processes)
      const outcome = await load(
        parts.map(part => ({ access, part, keyFiles, meshPskFile })),
        plan,
        flags,
        io,
      )
      if (outcome.connected.pairs === 0) {
        io.err(`derp: load ${nameOf(access)}: nothing connected: ${outcome.connected.reason ?? 'interrupted'}\n`)
        return done(EXIT_FAILED)
      }
      const report = benchReport({ relay: nameOf(access), processes: parts.length }, plan, outcome)
      await io.out(textOf(report, flags))
      const { wanted, connected, reason } = report.pairs
      if (connected < wanted) io.err(`derp: ${wanted - connected} of ${wanted} pairs did not connect: ${reason}\n`)
      done(report.sent > 0 && report.received === 0 ? EXIT_FAILED : EXIT_OK)
    })
}

function addLoadOptions(command: Command): Command {
  const { pairs, size, window, processes } = DEFAULTS
  return command
    .option('--pairs <number>', `pairs of a sender and a receiver (default: ${pairs})`, readCount)
    .option('--size <bytes>', `packet size, or several with commas, used in turn (default: ${size})`, readSizes)
    .option('--rate <number>', 'packets per second of all pairs (default: as fast as possible)', readRate)
    .option('--window <number>', `packets in flight per pair, without --rate (default: ${window})`, readCount)
    .option('--duration <duration>', 'of the measurement (default: 10s)', readDuration)
    .option('--warmup <duration>', 'load before it (default: 1s)', readDuration)
    .option('--processes <number>', `processes that share the pairs (default: ${processes})`, readCount)
}

/** @throws DerpError for options that contradict each other. */
function planOf({ pairs, size, rate, window, warmup, duration, processes = 1, keyFile = [] }: BenchFlags): LoadPlan {
  if (rate !== undefined && window !== undefined) throw unusable('use --window: with --rate there is none')
  if (processes > MAX_PROCESSES) throw unusable(`use --processes ${processes}: more than ${MAX_PROCESSES}`)
  return {
    run: randomInt(2 ** 32),
    pairs: pairsOf(pairs, keyFile.length),
    sizes: size ?? [DEFAULTS.size],
    ratePerSecond: rate,
    window: window ?? DEFAULTS.window,
    warmupMs: warmup ?? DEFAULTS.warmupMs,
    durationMs: duration ?? DEFAULTS.durationMs,
  }
}

function pairsOf(wanted: number | undefined, keyFiles: number): number {
  if (keyFiles === 0) return wanted ?? DEFAULTS.pairs
  if (wanted !== undefined) throw unusable('use --pairs: the key files decide how many there are')
  if (keyFiles > 1 && keyFiles % 2 === 1) throw unusable(`use --key-file: ${keyFiles} files; a pair needs two`)
  return Math.ceil(keyFiles / 2)
}

async function load(
  setups: readonly LoadSetup[],
  plan: LoadPlan,
  { json, csv }: BenchFlags,
  io: CommandIo,
): Promise<BenchOutcome> {
  const [only] = setups
  const others = setups.length > 1 ? setups.map(setup => new OtherProcess(setup)) : []
  const processes: LoadProcess[] =
    others.length > 0 || only === undefined ? others : [ownProcess(loadRunOf(only, io.env))]
  const isLive = io.columns !== undefined && !json && !csv
  const live = isLive ? new LiveView(io.columns, plan.durationMs) : undefined
  try {
    return await runBench(plan, {
      clock: systemClock,
      processes,
      ended: io.ended,
      onConnected: async ({ pairs }) => {
        if (live !== undefined) await io.out(`${pairs} of ${plan.pairs} pairs connected\n`)
      },
      onInterval: async (interval, total) => {
        if (live !== undefined) await io.out(live.next(interval, total))
      },
    })
  } finally {
    for (const each of others) each.close()
    if (live !== undefined) await io.out(live.clear())
  }
}

function textOf(report: BenchReport, { json, csv }: BenchFlags): string {
  if (json) return `${JSON.stringify(report, undefined, 2)}\n`
  return csv ? reportCsv(report) : reportText(report)
}

function nameOf({ target }: RelayAccess): string {
  return 'url' in target ? target.url : formatRegion(target.region)
}

function readRate(text: string): number {
  const rate = Number(text)
  if (/^\d+(?:\.\d+)?$/.test(text) && rate > 0) return rate
  throw new InvalidArgumentError('Not a positive number.')
}

function readSizes(text: string): number[] {
  const sizes = text.split(',').map(size => (/^\d+$/.test(size) ? Number(size) : 0))
  if (sizes.every(bytes => bytes >= STAMP_BYTES && bytes <= MAX_PACKET_LENGTH)) return sizes
  throw new InvalidArgumentError(`Not numbers from ${STAMP_BYTES} to ${MAX_PACKET_LENGTH}, separated by commas.`)
}
