/** The `derper` command: a relay as a daemon. */

import { assertPortsDiffer, assertPortsFree } from '../../daemon/bind.ts'
import { askStatus } from '../../daemon/control/control-client.ts'
import type { ControlStatus } from '../../daemon/control/control-message.ts'
import { withPortsOf } from '../../daemon/control/first-ports.ts'
import { DerperDaemon, wantedPorts } from '../../daemon/daemon.ts'
import { tuneGarbageCollection } from '../../daemon/garbage-collection.ts'
import { formatListenAddress } from '../../daemon/listen-address.ts'
import { createLog, type DaemonLog, FLUSH_LIMIT_MS } from '../../daemon/log/log.ts'
import { logRuntimeWarnings } from '../../daemon/log/runtime-warnings.ts'
import type { DaemonSettings } from '../../daemon/settings.ts'
import { systemClock } from '../../lib/clock.ts'
import { DerpError } from '../../lib/derp-error.ts'
import type { Log } from '../../lib/log.ts'
import { RUNTIME, RUNTIME_TITLE } from '../../lib/runtime.ts'
import { EXIT_FAILED, EXIT_OK, exitCodeOf, exitNow, runCommand } from '../exit.ts'
import { type ReadText, readAnything, readFlags, readRegular, type SourcedFlags } from '../flag-sources.ts'
import { commandLineOf } from '../started-as.ts'
import { trustSystem } from '../trust.ts'
import { usage } from '../usage.ts'
import { versionLine } from '../version.ts'
import { betterRuntime } from './better-runtime.ts'
import { checkCertificateFiles } from './certificate-files.ts'
import { checkConfig } from './check-config.ts'
import { checkHealth } from './check-health.ts'
import { assertControlFolder } from './control-folder.ts'
import { DERP_MAP_FLAGS, derpMapText } from './derp-map.ts'
import { DERPER_FLAGS, DERPER_SECTIONS } from './derper-flags.ts'
import { readPrivateKey, readSettings } from './derper-settings.ts'
import { planOf } from './plan.ts'
import { Reload } from './reload.ts'
import { settingsError } from './settings/setting.ts'
import { endedBySignal } from './signals.ts'

/** What it is, its forms, and where flags come from; the manual page is made from it, too. */
export const DERPER_SUMMARY = `derper relays end-to-end encrypted packets between clients that cannot reach each other (DERP).

  derper [flags]                serves until SIGTERM or SIGINT; SIGHUP reloads files
  derper check-config [flags]   checks and prints the configuration; starts nothing
  derper health [flags]         asks the running derper with this configuration; exits with 1 if it is not well
  derper derp-map [flags]       prints the DERP map for this configuration; -for sets the format

Flags can also be set by environment variables (DERPER_STUN_PORT for -stun-port) and in the JSON file of -config.`

const CHECK_CONFIG = 'check-config'
const HEALTH = 'health'
const DERP_MAP = 'derp-map'
const COMMANDS = [CHECK_CONFIG, HEALTH, DERP_MAP]

/** Reads the flags from all sources. */
type ReadFlags = (read: ReadText) => Promise<SourcedFlags<typeof DERPER_FLAGS>>

/** Runs the command until a signal ends it; resolves to the exit code. */
export function main(args: readonly string[]): Promise<number> {
  return runCommand('derper', async () => {
    const [first, ...others] = args
    if (first === DERP_MAP) return writeDerpMap(others, process.env)
    const isCheck = first === CHECK_CONFIG
    const isHealth = first === HEALTH
    const input = { args: isCheck || isHealth ? others : args, env: process.env, commands: COMMANDS }
    const readAll: ReadFlags = read => readFlags('derper', DERPER_FLAGS, { ...input, read })
    const parsed = await readAll(readAnything)
    if (parsed.help) process.stdout.write(usage('derper', DERPER_SUMMARY, DERPER_SECTIONS))
    else if (parsed.values.version) process.stdout.write(`${versionLine()}\n`)
    else if (isCheck) process.stdout.write(await checkConfig(parsed.values, parsed.given, process.env))
    else if (isHealth) return checkHealth(parsed.values)
    else return serve(parsed, process.env, readAll)
    return EXIT_OK
  })
}

async function writeDerpMap(args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const parsed = await readFlags('derper', { ...DERPER_FLAGS, ...DERP_MAP_FLAGS }, { args, env })
  const help = () =>
    usage('derper derp-map', DERPER_SUMMARY, [{ title: 'Map', flags: DERP_MAP_FLAGS }, ...DERPER_SECTIONS])
  process.stdout.write(parsed.help ? help() : await derpMapText(parsed.values, parsed.given, env))
  return EXIT_OK
}

/** Serves until a signal ends it; resolves to the exit code. */
async function serve(
  flags: SourcedFlags<typeof DERPER_FLAGS>,
  env: NodeJS.ProcessEnv,
  readAll: ReadFlags,
): Promise<number> {
  tuneGarbageCollection()
  const given = await readSettings(flags.values, flags.given, env)
  const first = await findFirst(given)
  const settings = first === undefined ? given : withPortsOf(first.ports, given)
  await assertControlFolder(settings)
  if (first === undefined) await assertPortsFree(wantedPorts(settings)).catch(error => withTakeover(error, settings))
  else assertPortsDiffer(wantedPorts(settings))
  // Before the key file is created: a failed start must not leave one behind.
  await checkCertificateFiles(settings.tls)
  const log = createLog({ ...settings.log, clock: systemClock })
  logRuntimeWarnings(log)
  process.once('uncaughtException', error => void crash(error, log))
  try {
    await trustSystem(env, problem => log.warn(problem))
    const daemon = await DerperDaemon.create(settings, await readPrivateKey(flags.values, log), log)
    const reload = new Reload(daemon, log, flags, () => readAll(readRegular))
    return await run(daemon, { settings, first, flags, env, log, reload })
  } finally {
    await log.flush(FLUSH_LIMIT_MS)
  }
}

/** The derper from which to take over, if there is one. */
async function findFirst({ upgrade }: DaemonSettings): Promise<ControlStatus | undefined> {
  return upgrade?.takeOver === true ? askStatus(upgrade.controlSocket, systemClock) : undefined
}

/** Rejects with `error`, and where the ports are those of a derper with this control socket, with how to take over from it. */
async function withTakeover(error: unknown, { upgrade }: DaemonSettings): Promise<never> {
  const other = upgrade === undefined ? undefined : await askStatus(upgrade.controlSocket, systemClock).catch(() => {})
  if (other === undefined) throw error
  throw settingsError(
    `${(error as Error).message}, or take over from the derper behind -control-socket: -takeover`,
    error,
  )
}

interface Run {
  readonly settings: DaemonSettings
  readonly first: ControlStatus | undefined
  readonly flags: SourcedFlags<typeof DERPER_FLAGS>
  readonly env: NodeJS.ProcessEnv
  readonly log: Log
  readonly reload: Reload
}

async function run(daemon: DerperDaemon, { settings, first, flags, env, log, reload }: Run): Promise<number> {
  try {
    // Before the first await: an unhandled signal kills the process, or is ignored by PID 1 of a container.
    process.on('SIGHUP', () => void reload.run())
    const ended = endedBySignal(daemon.draining, flags.values.dev)
    await daemon.start(first)
    log.info('started', {
      version: settings.program.version,
      runtime: RUNTIME_TITLE,
      plan: Object.fromEntries(planOf(settings)),
    })
    adviseRuntime(log, env)
    announce(settings, daemon, flags.values.dev, log)
    await Promise.race([ended, ...(daemon.handedOver === undefined ? [] : [daemon.handedOver])])
    return EXIT_OK
  } catch (error) {
    // A program that reads lines of JSON gets no others.
    if (!(error instanceof DerpError) || settings.log.format !== 'json') throw error
    log.error('ended by an error', { reason: error.message })
    return exitCodeOf(error)
  } finally {
    await daemon.stop()
  }
}

function adviseRuntime(log: Log, env: NodeJS.ProcessEnv): void {
  const started = { runtime: RUNTIME, script: process.argv[1], chosen: env['DERPHTTP_RUNTIME'] }
  const advice = betterRuntime(started)
  if (advice !== undefined) log.info('another runtime would perform better', { ...advice })
}

/** A bug: the process exits, as its state cannot be trusted. */
async function crash(error: Error, log: DaemonLog): Promise<void> {
  log.error('crashed', { reason: error.message, stack: error.stack })
  process.exitCode = EXIT_FAILED
  await log.flush(FLUSH_LIMIT_MS)
  // The write that ended just now counts as unfinished until then.
  systemClock.afterTurn(() => exitNow())
}

/** Logs addresses, and what to try. */
function announce({ listen, tls, stun, relay }: DaemonSettings, daemon: DerperDaemon, dev: boolean, log: Log): void {
  const { derp = true } = relay
  const { host } = listen.address
  const at = (port: number | undefined, on: string | undefined) =>
    port === undefined ? undefined : formatListenAddress({ host: on, port })
  log.info('serving', {
    address: at(daemon.port, host),
    tls: tls !== undefined,
    relay: derp ? daemon.publicKey.toString() : undefined,
    http: at(daemon.httpPort, host),
    stun: at(daemon.stunPort, stun?.host),
    metrics: daemon.metricsAddress,
  })
  if (dev && derp && tls === undefined) {
    const page = `http://${formatListenAddress({ host: host ?? 'localhost', port: daemon.port })}/`
    log.info('try it', { page, command: `${commandLineOf('derp', process.argv[1])} cat ${page}derp` })
  }
}
