/** `derp netcheck`: measures latency from this machine to the relays of a map and chooses the home region. */

import { InvalidArgumentError } from 'commander'
import { bindReason } from '../../daemon/bind.ts'
import type { DERPMap } from '../../derpmap/types.ts'
import { ipFamilyOf } from '../../lib/address-port.ts'
import { systemClock } from '../../lib/clock.ts'
import { sleep } from '../../lib/sleep.ts'
import { Netcheck } from '../../netcheck/netcheck.ts'
import { nodeNetcheck } from '../../netcheck/node-platform.ts'
import type { NetcheckPlatform } from '../../netcheck/platform.ts'
import { type Report, reportJson } from '../../netcheck/report.ts'
import type { CommandIo } from '../command-io.ts'
import { loadMap } from '../derp-map/load-map.ts'
import { authoritiesWith, trustSystem } from '../trust.ts'
import { reportText } from './netcheck/report-text.ts'
import { LatencyWatch } from './netcheck/watch-text.ts'
import { readDuration, readPort } from './option-values.ts'
import { unusable } from './relay/relay-address.ts'
import type { AddSubcommand } from './subcommand.ts'

/** Tailscale's public DERP map, the original's fallback. */
const DEFAULT_MAP = 'https://controlplane.tailscale.com/derpmap/default'
const WATCH_EVERY_MS = 2_000
const FORMATS = ['json', 'json-line'] as const

interface NetcheckFlags {
  readonly format?: (typeof FORMATS)[number]
  readonly every?: number
  readonly watch?: boolean
  readonly verbose?: boolean
  readonly bindAddress?: string
  readonly bindPort?: number
  readonly ca?: string
}

export const addNetcheck: AddSubcommand = (parent, { io }) => {
  parent
    .command('netcheck')
    .description('measure latency to the relays of a map with STUN and HTTPS, and find the nearest')
    .argument('[map]', 'DERP map: file, URL, or - for standard input', DEFAULT_MAP)
    .option('--format <format>', `${FORMATS.join(' or ')} (default: text)`, readFormat)
    .option('--every <duration>', 'repeat with incremental reports at this interval', readDuration)
    .option('--watch', 'show a live latency chart until interrupted')
    .option('--verbose', 'show connect and TLS times, and region IDs')
    .option('--bind-address <address>', 'local address for STUN requests', readAddress)
    .option('--bind-port <port>', 'local UDP port for STUN requests', readPort)
    .option('--ca <file>', 'PEM file with additional CAs that your clients trust')
    .action(async (source: string, flags: NetcheckFlags) => {
      const { map } = await loadMap(source, io)
      const { bindAddress, bindPort } = flags
      if (flags.watch && flags.format !== undefined) throw unusable('use --watch: --format was given as well')
      await trustSystem(io.env, problem => io.err(`derp: ${problem}\n`))
      const authorities = flags.ca === undefined ? undefined : await authoritiesWith(flags.ca)
      const platform = nodeNetcheck({ authorities, bindAddress, bindPort })
      await assertBindable(platform, flags)
      const netcheck = new Netcheck(platform)
      await (flags.watch ? watch(netcheck, map, flags, io) : printReports(netcheck, map, flags, io))
    })
}

/** An address or port that cannot be bound would look as if UDP were blocked. */
async function assertBindable(platform: NetcheckPlatform, { bindAddress, bindPort }: NetcheckFlags): Promise<void> {
  if (bindAddress === undefined && bindPort === undefined) return
  try {
    const socket = await platform.openUdp(ipFamilyOf(bindAddress ?? '') ?? 4, () => {})
    socket.close()
  } catch (error) {
    const address = bindAddress === undefined ? [] : [`--bind-address ${bindAddress}`]
    const port = bindPort === undefined ? [] : [`--bind-port ${bindPort}`]
    throw unusable(`use ${[...address, ...port].join(' ')}: ${bindReason(error)}`)
  }
}

async function printReports(netcheck: Netcheck, map: DERPMap, flags: NetcheckFlags, io: CommandIo): Promise<void> {
  const { format, every, verbose = false } = flags
  for (let isFull = true; ; isFull = false) {
    const report = await netcheck.report(map, { isFull, signal: io.ended }).catch(ended(io))
    if (report === undefined) return
    await io.out(format === undefined ? reportText(report, map, verbose) : jsonText(report, map, format))
    if (every === undefined) return
    await sleep(systemClock, every, io.ended)
    if (io.ended.aborted) return
  }
}

async function watch(netcheck: Netcheck, map: DERPMap, flags: NetcheckFlags, io: CommandIo): Promise<void> {
  const lines = new LatencyWatch(map, io.columns)
  while (!io.ended.aborted) {
    const report = await netcheck.report(map, { signal: io.ended }).catch(ended(io))
    if (report === undefined) return
    await io.out(lines.next(report))
    await sleep(systemClock, flags.every ?? WATCH_EVERY_MS, io.ended)
  }
}

/** Interruption is a normal end, not an error. */
function ended(io: CommandIo): (error: unknown) => undefined {
  return error => {
    if (!io.ended.aborted) throw error
    return undefined
  }
}

function jsonText(report: Report, map: DERPMap, format: (typeof FORMATS)[number]): string {
  return `${JSON.stringify(reportJson(report, map), undefined, format === 'json' ? '\t' : undefined)}\n`
}

function readFormat(text: string): (typeof FORMATS)[number] {
  const format = FORMATS.find(each => each === text)
  if (format !== undefined) return format
  throw new InvalidArgumentError(`Not ${FORMATS.join(' or ')}.`)
}

function readAddress(text: string): string {
  if (ipFamilyOf(text) !== undefined) return text
  throw new InvalidArgumentError('Not an IP address.')
}
