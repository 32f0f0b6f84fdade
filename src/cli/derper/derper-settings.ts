/** What `derper` shall do, from its flags, its environment and the files they name. Starts nothing. */

import type { AdmissionSettings } from '../../admission/create-admission.ts'
import type { Account } from '../../daemon/account.ts'
import { type ListenAddress, parseListenAddress } from '../../daemon/listen-address.ts'
import type { LogLevel } from '../../daemon/log.ts'
import type { MeshKey } from '../../keys/mesh-key.ts'
import { NodePrivateKey } from '../../keys/node-key.ts'
import type { MeshTarget } from '../../mesh/mesh-target.ts'
import type { RateLimit } from '../../server/rate-limit.ts'
import { unknownVariables } from '../flag-sources.ts'
import { keyFileNote, loadKeyFile } from '../key-file.ts'
import { DERPER_FLAGS, type DerperFlagValues } from './derper-flags.ts'
import { loadMeshKey, MESH_KEY_VARIABLE } from './mesh-key-file.ts'
import { accountSettings } from './settings/account-settings.ts'
import { admissionNotes, admissionSettings } from './settings/admission-settings.ts'
import { bootstrapNamesSetting } from './settings/bootstrap-dns-settings.ts'
import { type DrainSettings, drainSettings } from './settings/drain-settings.ts'
import { homeSetting } from './settings/home-setting.ts'
import { type LimitSettings, limitNotes, limitSettings } from './settings/limit-settings.ts'
import { logLevelSetting } from './settings/log-settings.ts'
import { meshKeyFile, siblingSettings } from './settings/mesh-settings.ts'
import { type ProxySettings, proxySettings } from './settings/proxy-settings.ts'
import { readRateConfig } from './settings/rate-settings.ts'
import { badSettings, durationSetting } from './settings/setting.ts'
import { type StunSettings, stunSettings } from './settings/stun-settings.ts'
import { type TlsSettings, tlsNotes, tlsSettings } from './settings/tls-settings.ts'
import { type WatchingSettings, watchingSettings } from './settings/watching-settings.ts'
import { workersNotes, workersSetting } from './settings/workers-setting.ts'

const DEV_ADDRESS: ListenAddress = { host: '127.0.0.1', port: 3340 }
/** Where the original keeps its key when it runs as root. */
const ROOT_KEY_FILE = '/var/lib/derper/derper.key'

export interface DerperSettings {
  readonly dev: boolean
  readonly address: ListenAddress
  /** Undefined to serve plain HTTP. */
  readonly tls: TlsSettings | undefined
  /** Undefined for no STUN. */
  readonly stun: StunSettings | undefined
  readonly derp: boolean
  readonly home: string
  readonly logLevel: LogLevel
  readonly meshKey: MeshKey | undefined
  /** File to read again on SIGHUP. */
  readonly rateConfigFile: string | undefined
  readonly rateLimit: RateLimit | undefined
  readonly writeTimeoutMs: number
  readonly limits: LimitSettings
  readonly pingClientsMs: number
  readonly tellHealth: boolean
  readonly admission: AdmissionSettings
  readonly proxies: ProxySettings
  /** Siblings to link to; undefined for none. */
  readonly siblings: readonly MeshTarget[] | undefined
  /** Names for `/bootstrap-dns`; empty for none. */
  readonly publishedNames: string
  readonly unpublishedNames: string
  /** The configuration file, if there is one. */
  readonly configFile: string | undefined
  readonly drain: DrainSettings
  /** The listener for metrics; undefined for none. */
  readonly watching: WatchingSettings | undefined
  /** As whom to go on once ports are bound; undefined to stay. */
  readonly account: Account | undefined
  /** Threads that serve clients; 1 for the main thread alone. */
  readonly workers: number
  /** What an operator should know of these settings though they work; written as warnings. */
  readonly notes: readonly string[]
}

/** Reads everything but the private key. @throws DerpError naming flag, value and reason. */
export function readSettings(
  flags: DerperFlagValues,
  given: ReadonlySet<string>,
  env: NodeJS.ProcessEnv,
): DerperSettings {
  const address = flags.dev && !given.has('a') ? DEV_ADDRESS : parseListenAddress('a', flags.a)
  const meshKey = loadMeshKey(flags.dev ? env[MESH_KEY_VARIABLE] : undefined, meshKeyFile(flags, env))
  const tls = tlsSettings(flags, address, env)
  const admission = admissionSettings(flags)
  const workers = workersSetting(flags)
  return {
    dev: flags.dev,
    address,
    tls,
    stun: stunSettings(flags),
    derp: flags.derp,
    home: homeSetting(flags.home),
    logLevel: logLevelSetting(flags),
    meshKey,
    rateConfigFile: flags['rate-config'] || undefined,
    rateLimit: flags['rate-config'] === '' ? undefined : readRateConfig(flags['rate-config']),
    writeTimeoutMs: durationSetting('tcp-write-timeout', flags['tcp-write-timeout']),
    limits: limitSettings(flags, workers),
    pingClientsMs: durationSetting('ping-clients', flags['ping-clients']),
    tellHealth: flags['health-frames'],
    admission,
    proxies: proxySettings(flags),
    siblings: siblingSettings(flags['mesh-with'], meshKey),
    publishedNames: bootstrapNamesSetting('bootstrap-dns-names', flags['bootstrap-dns-names']),
    unpublishedNames: bootstrapNamesSetting(
      'unpublished-bootstrap-dns-names',
      flags['unpublished-bootstrap-dns-names'],
    ),
    configFile: flags.config || undefined,
    drain: drainSettings(flags, given),
    watching: watchingSettings(flags),
    account: accountSettings(flags),
    workers,
    notes: [
      ...variableNotes(env),
      ...tlsNotes(given, tls),
      ...limitNotes(given),
      ...(flags.dev ? [] : admissionNotes(admission)),
      ...keyFileNotes(flags),
      ...workersNotes(flags),
    ],
  }
}

function variableNotes(env: NodeJS.ProcessEnv): string[] {
  const unknown = unknownVariables('derper', DERPER_FLAGS, env)
  return unknown.map(name => `variable ${name} has no effect: it is that of no flag; -help lists them`)
}

function keyFileNotes(flags: DerperFlagValues): string[] {
  const path = privateKeyFile(flags)
  const note = path === undefined ? undefined : keyFileNote(path)
  return note === undefined ? [] : [note]
}

/** The private key; a key file is made if it is missing. @throws DerpError as {@link loadKeyFile}. */
export async function readPrivateKey(flags: DerperFlagValues): Promise<NodePrivateKey> {
  const path = privateKeyFile(flags)
  return path === undefined ? NodePrivateKey.generate() : (await loadKeyFile(path)).key
}

/** Where the private key is kept; undefined for one that is not. @throws DerpError when it cannot be told. */
export function privateKeyFile(flags: DerperFlagValues): string | undefined {
  if (flags.c !== '') return flags.c
  if (flags.dev) return undefined
  if (process.getuid?.() === 0) return ROOT_KEY_FILE
  throw badSettings('find the private key: -c is not given; name a file, it is made if missing')
}
