/** The `derpprobe` command, which probes the relays of a DERP map. */

import { getCACertificates } from 'node:tls'
import { bind } from '../../daemon/bind.ts'
import { SecretFile } from '../../daemon/debug/secret-file.ts'
import { formatListenAddress } from '../../daemon/listen-address.ts'
import { createLog, FLUSH_LIMIT_MS } from '../../daemon/log/log.ts'
import { onAbort } from '../../lib/abort.ts'
import { systemClock } from '../../lib/clock.ts'
import { createHttpListener } from '../../listen/node/http-listener.ts'
import { DerpProber } from '../../monitor/derp-prober.ts'
import type { MonitorPorts } from '../../monitor/ports.ts'
import { Prober } from '../../monitor/prober.ts'
import { type CommandIo, processIo } from '../command-io.ts'
import { EXIT_OK, runCommand } from '../exit.ts'
import { readFlags } from '../flag-sources.ts'
import { trustAlso, trustSystem } from '../trust.ts'
import { usage } from '../usage.ts'
import { programVersion, versionLine } from '../version.ts'
import { nodePorts } from './node-ports.ts'
import { DERPPROBE_FLAGS, DERPPROBE_SECTIONS } from './probe-flags.ts'
import { probeRoutes } from './probe-routes.ts'
import { type ProbeSettings, probeSettings } from './probe-settings.ts'
import { runOnce } from './run-once.ts'

/** Summary and description; the manual page uses them, too. */
export const DERPPROBE_SUMMARY = `derpprobe probes the relays of a DERP map: TLS, STUN, and packets through each relay and each pair of a region.

Without -once it serves a status page, /debug/varz for Prometheus, and /probe?target=HOST for any other relay. Each flag may
also be set by the environment, -derp-map as DERPPROBE_DERP_MAP.`

/** Milliseconds from a connection to its first request. */
const REQUEST_TIMEOUT_MS = 10_000

/** Runs the command; resolves to the exit code. */
export function main(args: readonly string[], io: CommandIo = processIo()): Promise<number> {
  const run = async () => {
    const { help, values } = await readFlags('derpprobe', DERPPROBE_FLAGS, { args, env: io.env })
    if (help) await io.out(usage('derpprobe', DERPPROBE_SUMMARY, DERPPROBE_SECTIONS))
    else if (values.version) await io.out(`${versionLine()}\n`)
    else return probe(await probeSettings(values, io.env), io)
    return EXIT_OK
  }
  return runCommand('derpprobe', run, io.err)
}

async function probe(settings: ProbeSettings, io: CommandIo): Promise<number> {
  const { map, kinds, isSpread, isOnce, format, identity } = settings
  const clock = systemClock
  const log = createLog({ ...settings.log, clock })
  await trustSystem(io.env, problem => log.warn(problem))
  if (settings.caFile !== undefined) await trustAlso(settings.caFile)
  const authorities = getCACertificates('default')
  const ports = nodePorts({ clock, log, map, identity, authorities, env: io.env })
  const prober = new Prober({ clock, log, isSpread, isOnce })
  const derp = new DerpProber(prober, ports, kinds)
  if (identity.keys !== undefined) {
    const { sender, receiver } = identity.keys
    log.info('fixed keys', { sender: `${sender.publicKey()}`, receiver: `${receiver.publicKey()}` })
  }
  try {
    return await (isOnce
      ? runOnce({ prober, derp, clock, map, format, io })
      : serve(settings, { prober, derp, ports }, io))
  } finally {
    await prober.close()
    await log.flush(FLUSH_LIMIT_MS)
  }
}

interface Served {
  readonly prober: Prober
  readonly derp: DerpProber
  readonly ports: MonitorPorts
}

/** Serves until a signal. */
async function serve(settings: ProbeSettings, { prober, derp, ports }: Served, io: CommandIo): Promise<number> {
  const { TS_ALLOW_DEBUG_IP: allowAddress, TS_DEBUG_KEY_PATH: keyPath } = io.env
  const key = new SecretFile(keyPath)
  const access = { allowAddress, readKey: () => key.value, ranges: settings.debugAllow }
  const { logins } = settings.kinds
  const routes = probeRoutes({ prober, derp, ports, logins, version: programVersion(), access })
  const listener = createHttpListener({ routes, acceptTimeoutMs: REQUEST_TIMEOUT_MS })
  const wanted = { ...settings.listen, flag: 'listen', protocol: 'tcp' } as const
  try {
    const { port } = await bind(wanted, () => listener.listen(wanted.port, wanted.host))
    await key.start()
    derp.start()
    await io.out(`derpprobe: serving on ${formatListenAddress({ ...wanted, port })}\n`)
    await new Promise<void>(resolve => void onAbort(io.ended, () => resolve()))
    return EXIT_OK
  } finally {
    key.close()
    await listener.close()
  }
}
