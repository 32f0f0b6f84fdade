/** The settings of `derpprobe`, from its flags. */

import { type ListenAddress, parseListenAddress } from '../../daemon/listen-address.ts'
import type { LogSettings } from '../../daemon/settings.ts'
import type { MeshKey } from '../../keys/mesh-key.ts'
import type { NodePrivateKey } from '../../keys/node-key.ts'
import { formatDuration } from '../../lib/duration.ts'
import { Slots } from '../../lib/slots.ts'
import { CidrList } from '../../listen/cidr-list.ts'
import type { DerpProberOptions } from '../../monitor/derp-prober.ts'
import type { PathEnd } from '../../monitor/ports.ts'
import { loadMeshKey, MESH_KEY_VARIABLE } from '../derper/mesh-key-file.ts'
import { logSettings } from '../derper/settings/log-settings.ts'
import { intSetting, listSetting, settingError, settingsError } from '../derper/settings/setting.ts'
import type { FlagValues } from '../go-flags.ts'
import { loadKeyFile } from '../key-file.ts'
import type { DERPPROBE_FLAGS } from './probe-flags.ts'

type Flags = FlagValues<typeof DERPPROBE_FLAGS>

export const FORMATS = ['text', 'json', 'junit'] as const
export type ReportFormat = (typeof FORMATS)[number]

/** Keys of the two ends of each path. */
export type FixedKeys = Readonly<Record<PathEnd, NodePrivateKey>>

export interface ProbeSettings {
  readonly map: string
  readonly kinds: DerpProberOptions
  readonly isSpread: boolean
  readonly isOnce: boolean
  readonly format: ReportFormat
  readonly listen: ListenAddress
  readonly debugAllow: CidrList | undefined
  readonly identity: ProbeIdentity
  readonly caFile: string | undefined
  readonly log: LogSettings
}

/** The identity with which relays are probed. */
export interface ProbeIdentity {
  readonly meshKey: MeshKey | undefined
  /** Undefined for fresh keys in each run. */
  readonly keys: FixedKeys | undefined
  readonly token: string | undefined
}

const BYTES: readonly [number, number] = [0, 1 << 30]
/** For more, use a benchmark. */
const PACKET_RATE: readonly [number, number] = [0, 10_000]
const MIN_INTERVAL_MS = 100

/** @throws DerpError naming flag, value and reason. */
export async function probeSettings(flags: Flags, env: NodeJS.ProcessEnv): Promise<ProbeSettings> {
  const identity = await probeIdentity(flags, env)
  return {
    map: flags['derp-map'],
    kinds: { ...probeKinds(flags, identity), logins: identity.keys && new Slots(1) },
    // A single run has nothing to spread: CI and cron wait for its results.
    isSpread: flags.spread && !flags.once,
    isOnce: flags.once,
    format: reportFormat(flags.format),
    listen: parseListenAddress('listen', flags.listen),
    debugAllow: debugAllow(flags['debug-allow']),
    identity,
    caFile: flags.ca === '' ? undefined : flags.ca,
    log: logSettings(flags),
  }
}

async function probeIdentity(flags: Flags, env: NodeJS.ProcessEnv): Promise<ProbeIdentity> {
  const { token } = flags
  if (/[^\x21-\x7e]/.test(token)) throw settingError('token', '…', 'has a space or a character that is not ASCII')
  return {
    meshKey: loadMeshKey(flags.dev ? env[MESH_KEY_VARIABLE] : undefined, flags['mesh-psk-file']),
    keys: await fixedKeys(flags['key-file']),
    token: token === '' ? undefined : token,
  }
}

async function fixedKeys(text: string): Promise<FixedKeys | undefined> {
  const [sender, receiver, ...others] = listSetting(text)
  if (sender === undefined) return undefined
  if (receiver === undefined || others.length > 0 || sender === receiver) {
    throw settingError(
      'key-file',
      text,
      'not two different files; a relay takes two connections of one key for duplicates',
    )
  }
  const keys = { sender: (await loadKeyFile(sender)).key, receiver: (await loadKeyFile(receiver)).key }
  if (keys.sender.publicKey().equals(keys.receiver.publicKey())) {
    throw settingError('key-file', text, 'both files have the same key; remove one to have a new key made')
  }
  return keys
}

function probeKinds(flags: Flags, { keys }: ProbeIdentity): DerpProberOptions {
  const packetsPerSecond = intSetting(flags, 'qd-packets-per-second', PACKET_RATE)
  if (packetsPerSecond > 0 && keys !== undefined) {
    throw settingsError(
      'set flags -qd-packets-per-second and -key-file: queuing delay probes never end, and probes with fixed keys take turns; use -mesh-psk-file or -token in place of -key-file',
    )
  }
  const sizeBytes = intSetting(flags, 'bw-probe-size-bytes', BYTES)
  const bwIntervalMs = interval(flags, 'bw-interval')
  return {
    mapIntervalMs: interval(flags, 'interval') || refuseZero('interval'),
    tlsIntervalMs: interval(flags, 'tls-interval'),
    stunIntervalMs: interval(flags, 'stun-interval'),
    meshIntervalMs: interval(flags, 'mesh-interval'),
    bandwidth: bwIntervalMs > 0 && sizeBytes > 0 ? { intervalMs: bwIntervalMs, sizeBytes } : undefined,
    queueDelay: packetsPerSecond > 0 ? { packetsPerSecond, packetTimeoutMs: flags['qd-packet-timeout'] } : undefined,
    region: flags['region-code'] === '' ? undefined : flags['region-code'],
  }
}

type IntervalFlag = 'interval' | 'tls-interval' | 'stun-interval' | 'mesh-interval' | 'bw-interval'

function interval(flags: Flags, name: IntervalFlag): number {
  const ms = flags[name]
  if (ms === 0 || ms >= MIN_INTERVAL_MS) return ms
  throw settingError(name, formatDuration(ms), `below ${MIN_INTERVAL_MS}ms`)
}

function refuseZero(name: IntervalFlag): never {
  throw settingError(name, '0s', 'without the DERP map nothing is probed')
}

function reportFormat(text: string): ReportFormat {
  const format = FORMATS.find(each => each === text)
  if (format === undefined) throw settingError('format', text, `not one of ${FORMATS.join(', ')}`)
  return format
}

function debugAllow(text: string): CidrList | undefined {
  if (text === '') return undefined
  try {
    return new CidrList(listSetting(text))
  } catch (error) {
    throw settingError('debug-allow', text, (error as Error).message, error)
  }
}
