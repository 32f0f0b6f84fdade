/** Options of the relay core: what may be set, its defaults, and their checks. */

import type { KeyAgreement } from '../keys/box.ts'
import type { MeshKey } from '../keys/mesh-key.ts'
import type { NodePrivateKey } from '../keys/node-key.ts'
import { type Clock, systemClock } from '../lib/clock.ts'
import { DerpError } from '../lib/derp-error.ts'
import { type Log, silentLog } from '../lib/log.ts'
import type { ServerInfo } from '../protocol/server-info.ts'
import type { AdmissionGate } from './ports.ts'
import type { RateLimit } from './rate-limit.ts'

export interface RelayCoreOptions {
  /** The relay's identity. */
  readonly privateKey: NodePrivateKey
  /** Computes the shared key of each login. */
  readonly agreement: KeyAgreement
  /** Key that siblings and trusted monitors show; without one nobody is privileged (P-074). */
  readonly meshKey?: MeshKey | undefined
  /** Who may connect. Default: everybody. */
  readonly admission?: AdmissionGate | undefined
  readonly clock?: Clock
  readonly log?: Log
  /** Random numbers in [0, 1), for jitter. */
  readonly random?: () => number
  /** Limits that ServerInfo tells clients to keep (P-034). Default: none, as the original. */
  readonly announcedLimits?: Omit<ServerInfo, 'version'>
  /** Milliseconds from accepting a connection to a completed login (P-035). Default {@link DEFAULTS.loginTimeoutMs}. */
  readonly loginTimeoutMs?: number
  /** Milliseconds a client has to take one write; 0 for no limit (P-101). Default {@link DEFAULTS.writeTimeoutMs}. */
  readonly writeTimeoutMs?: number
  /** The same for sessions with the mesh key (P-101). Default {@link DEFAULTS.meshWriteTimeoutMs}. */
  readonly meshWriteTimeoutMs?: number
  /** Milliseconds between keep-alives (P-090). Default {@link DEFAULTS.keepAliveMs}. */
  readonly keepAliveMs?: number
  /** Most milliseconds added to {@link keepAliveMs}, once per session (P-090). Default {@link DEFAULTS.keepAliveJitterMs}. */
  readonly keepAliveJitterMs?: number
  /**
   * Packets kept for a slow reader, for data and for disco each, before the oldest is dropped (P-100).
   *
   * Worst-case memory of one slow reader is twice this times 64 KiB. Default {@link DEFAULTS.sendQueuePackets}.
   */
  readonly sendQueuePackets?: number
  /** Bytes handed to a connection at once; the rest waits in the queues. Default {@link DEFAULTS.maxWriteBytes}. */
  readonly maxWriteBytes?: number
  /** Limit on what each client may send; the mesh is exempt (P-103). Default: none. */
  readonly rateLimit?: RateLimit | undefined
  /**
   * Clients logged in at once; further logins are refused, those with the mesh key apart (P-109). 0 for no limit.
   * Default {@link DEFAULTS.maxClients}.
   */
  readonly maxClients?: number
  /** Whether clients are told what is wrong with their connection (P-092). Default: no, as the original. */
  readonly tellHealth?: boolean
  /** Milliseconds between pings to clients that answer them; 0 for none (P-091). Default: 0, as the original. */
  readonly pingClientsMs?: number
}

/** What {@link resolveOptions} fills in. */
export const DEFAULTS: Readonly<Record<NumericOption, number>> = Object.freeze({
  loginTimeoutMs: 10_000,
  writeTimeoutMs: 2_000,
  meshWriteTimeoutMs: 30_000,
  keepAliveMs: 60_000,
  keepAliveJitterMs: 5_000,
  sendQueuePackets: 32,
  maxWriteBytes: 65_536,
  maxClients: 0,
  pingClientsMs: 0,
})

type NumericOption =
  | 'loginTimeoutMs'
  | 'writeTimeoutMs'
  | 'meshWriteTimeoutMs'
  | 'keepAliveMs'
  | 'keepAliveJitterMs'
  | 'sendQueuePackets'
  | 'maxWriteBytes'
  | 'maxClients'
  | 'pingClientsMs'

const ADMIT_ALL: AdmissionGate = { admit: async () => ({ admit: true }) }

/** All options, checked. */
export type ResolvedRelayCoreOptions = Required<Omit<RelayCoreOptions, 'meshKey' | 'rateLimit'>> & {
  readonly rateLimit: RateLimit | undefined
  readonly meshKey: MeshKey | undefined
  readonly admission: AdmissionGate
}

const BOUNDS: Record<NumericOption, readonly [min: number, max: number]> = {
  loginTimeoutMs: [1, 3_600_000],
  writeTimeoutMs: [0, 3_600_000],
  meshWriteTimeoutMs: [0, 3_600_000],
  keepAliveMs: [1, 86_400_000],
  keepAliveJitterMs: [0, 86_400_000],
  sendQueuePackets: [1, 65_536],
  maxWriteBytes: [1, 16 << 20],
  maxClients: [0, 16 << 20],
  pingClientsMs: [0, 3_600_000],
}

/** Fills in the defaults. @throws DerpError naming an option that is out of bounds. */
export function resolveOptions(options: RelayCoreOptions): ResolvedRelayCoreOptions {
  const resolved = {
    ...DEFAULTS,
    clock: systemClock,
    log: silentLog,
    random: Math.random,
    announcedLimits: { tokenBucketBytesPerSecond: 0, tokenBucketBytesBurst: 0 },
    tellHealth: false,
    ...options,
    meshKey: options.meshKey,
    rateLimit: options.rateLimit,
    admission: options.admission ?? ADMIT_ALL,
  }
  for (const [name, [min, max]] of Object.entries(BOUNDS)) {
    const value = resolved[name as NumericOption]
    if (!(value >= min && value <= max)) {
      throw new DerpError(
        'ERR_DERP_CONFIG_INVALID',
        `set relay option ${name} to ${value}: not within ${min} and ${max}`,
      )
    }
  }
  if (options.privateKey.isZero()) {
    throw new DerpError('ERR_DERP_CONFIG_INVALID', 'set relay option privateKey: the key is all zero')
  }
  return resolved
}
