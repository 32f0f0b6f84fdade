/** Settings of `derper` from flags, environment and files. Starts nothing. */

import { type ListenAddress, parseListenAddress } from '../../daemon/listen-address.ts'
import type { DaemonSettings, PageSettings, ProgramSettings } from '../../daemon/settings.ts'
import { NodePrivateKey } from '../../keys/node-key.ts'
import type { Log } from '../../lib/log.ts'
import { didYouMean } from '../did-you-mean.ts'
import { environmentName, unknownVariables } from '../flag-sources.ts'
import { keyFileNote, loadKeyFile } from '../key-file.ts'
import { withoutSecrets } from '../shown-command-line.ts'
import { programVersion } from '../version.ts'
import { DERPER_FLAGS, type DerperFlagValues } from './derper-flags.ts'
import { accountSettings } from './settings/account-settings.ts'
import { admissionNotes, admissionSettings } from './settings/admission-settings.ts'
import { bootstrapDnsSettings } from './settings/bootstrap-dns-settings.ts'
import { debugSettings } from './settings/debug-settings.ts'
import { drainSettings } from './settings/drain-settings.ts'
import { descriptorNotes, listenSettings } from './settings/listen-settings.ts'
import { logSettings } from './settings/log-settings.ts'
import { meshSettings } from './settings/mesh-settings.ts'
import { metricsSettings } from './settings/metrics-settings.ts'
import { noEffectNotes } from './settings/no-effect-notes.ts'
import { outboundSettings } from './settings/outbound-settings.ts'
import { regionSettings } from './settings/region-settings.ts'
import { relaySettings } from './settings/relay-settings.ts'
import { settingsError } from './settings/setting.ts'
import { stunNotes, stunSettings } from './settings/stun-settings.ts'
import { tlsNotes, tlsSettings } from './settings/tls-settings.ts'
import { upgradeSettings } from './settings/upgrade-settings.ts'
import { workersNotes, workersSetting } from './settings/workers-setting.ts'

const DEV_ADDRESS: ListenAddress = { host: '127.0.0.1', port: 3340 }
/** The original's key file when run as root. */
const ROOT_KEY_FILE = '/var/lib/derper/derper.key'

/** Reads everything but the private key. Rejects with a DerpError naming flag, value and reason. */
export async function readSettings(
  flags: DerperFlagValues,
  given: ReadonlySet<string>,
  env: NodeJS.ProcessEnv,
): Promise<DaemonSettings> {
  const address = flags.dev && !given.has('a') ? DEV_ADDRESS : parseListenAddress('a', flags.a)
  const mesh = meshSettings(flags, env)
  const tls = await tlsSettings(flags, address, env)
  const admission = await admissionSettings(flags)
  const workers = workersSetting(flags)
  const upgrade = upgradeSettings(flags)
  const stun = stunSettings(flags, address.host, upgrade !== undefined)
  return {
    relay: await relaySettings(flags),
    listen: listenSettings(flags, address, workers),
    debug: await debugSettings(flags, tls?.hostname ?? '', env),
    pages: pageSettings(flags, tls, stun),
    tls,
    stun,
    admission,
    outbound: outboundSettings(flags, env, workers),
    mesh,
    region: await regionSettings(flags, { mesh, tls, workers }, address.host),
    bootstrapDns: bootstrapDnsSettings(flags),
    drain: drainSettings(flags, given),
    upgrade,
    log: logSettings(flags),
    metrics: metricsSettings(flags),
    account: accountSettings(flags),
    workers,
    reloaded: reloadedFiles(flags),
    program: programSettings(),
    notes: [
      ...variableNotes(env),
      ...tlsNotes(given, tls),
      ...noEffectNotes(given, flags),
      ...descriptorNotes(flags, workers),
      ...(flags.dev || !flags.derp ? [] : admissionNotes(admission)),
      ...(flags.dev ? [] : stunNotes(stun)),
      ...keyFileNotes(flags),
      ...workersNotes(flags),
    ],
  }
}

function pageSettings(
  { dev, derp }: DerperFlagValues,
  tls: DaemonSettings['tls'],
  stun: DaemonSettings['stun'],
): PageSettings {
  const address = { hostname: tls?.hostname ?? '', stunPort: stun?.port, canPort80: tls?.httpPort === 80 }
  return { address, demo: dev && derp }
}

function reloadedFiles(flags: DerperFlagValues): Readonly<Record<string, string>> {
  const named = (['config', 'rate-config'] as const).map(flag => [flag, flags[flag]] as const)
  return Object.fromEntries(named.filter(([, path]) => path !== ''))
}

function programSettings(): ProgramSettings {
  return { version: programVersion(), commandLine: withoutSecrets(process.argv, DERPER_FLAGS) }
}

function variableNotes(env: NodeJS.ProcessEnv): string[] {
  const unknown = unknownVariables('derper', DERPER_FLAGS, env)
  const known = Object.keys(DERPER_FLAGS).map(flag => environmentName('derper', flag))
  return unknown.map(name => `variable ${name} has no effect: no such flag; ${didYouMean(name, known, meant => meant)}`)
}

function keyFileNotes(flags: DerperFlagValues): string[] {
  const path = privateKeyFile(flags)
  const note = path === undefined ? undefined : keyFileNote(path)
  return note === undefined ? [] : [note]
}

/** The private key; creates a missing key file and logs that. @throws DerpError as {@link loadKeyFile}. */
export async function readPrivateKey(flags: DerperFlagValues, log: Log): Promise<NodePrivateKey> {
  const path = privateKeyFile(flags)
  if (path === undefined) return NodePrivateKey.generate()
  const { key, created } = await loadKeyFile(path)
  if (created)
    log.info('created missing key file: the relay has a new identity', {
      file: path,
      publicKey: String(key.publicKey()),
    })
  return key
}

/** Path of the private key; undefined for a key that is not stored. @throws DerpError when `-c` is required. */
export function privateKeyFile(flags: DerperFlagValues): string | undefined {
  if (flags.c !== '') return flags.c
  if (flags.dev) return undefined
  if (process.getuid?.() === 0) return ROOT_KEY_FILE
  throw settingsError('find the private key: -c is not set; name a file, which is created if missing')
}
