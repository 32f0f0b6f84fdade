/** Options of the relay core, defaults and checks. Clauses: P-034, P-035, P-074, P-090 to P-092, P-100, P-101, P-103, P-109. */

import type { KeyAgreement } from '../keys/box.ts'
import type { MeshKey } from '../keys/mesh-key.ts'
import type { NodePrivateKey } from '../keys/node-key.ts'
import { type Clock, systemClock } from '../lib/clock.ts'
import { DerpError } from '../lib/derp-error.ts'
import { type Log, silentLog } from '../lib/log.ts'
import type { ServerInfo } from '../protocol/server-info.ts'
import type { AdmissionGate } from './ports.ts'
import type { RateLimit } from './reading/rate-limit.ts'
import type { ShareLedger } from './reading/share-ledger.ts'

/** Options of a relay core. Numbers that are out of bounds are refused by the name of their option. */
export interface RelayCoreOptions {
  /** The relay's identity. */
  readonly privateKey: NodePrivateKey
  /** Computes the shared key of each login. */
  readonly agreement: KeyAgreement
  /** Key shared with mesh peers and trusted monitors; without one no one is privileged. */
  readonly meshKey?: MeshKey | undefined
  /** Decides who may connect. Default: everyone. */
  readonly admission?: AdmissionGate | undefined
  /** Time and timers. Default: the platform's. */
  readonly clock?: Clock
  /** Receives warnings of refused logins, and a debug line for each connection that fails. Default: nothing is logged. */
  readonly log?: Log
  /** Random numbers in [0, 1), for jitter. Default: `Math.random`. */
  readonly random?: () => number
  /** Rate limits announced to clients in ServerInfo. Default: none, as in the original. */
  readonly announcedLimits?: Omit<ServerInfo, 'version'>
  /** Milliseconds from accepting a connection to a completed login. Default {@link DEFAULTS.loginTimeoutMs}. */
  readonly loginTimeoutMs?: number
  /** Milliseconds for one write to a client; 0 for no limit. Default {@link DEFAULTS.writeTimeoutMs}. */
  readonly writeTimeoutMs?: number
  /** Milliseconds for one write to a client with the mesh key; 0 for no limit. Default {@link DEFAULTS.meshWriteTimeoutMs}. */
  readonly meshWriteTimeoutMs?: number
  /** Milliseconds between keep-alives. Default {@link DEFAULTS.keepAliveMs}. */
  readonly keepAliveMs?: number
  /** Maximum milliseconds added to {@link keepAliveMs}, drawn once per session. Default {@link DEFAULTS.keepAliveJitterMs}. */
  readonly keepAliveJitterMs?: number
  /**
   * Packets queued for a slow reader, for data and disco each, before the oldest is dropped.
   *
   * Worst-case memory per slow reader is twice this times 64 KiB. Default {@link DEFAULTS.sendQueuePackets}.
   */
  readonly sendQueuePackets?: number
  /**
   * Bytes queued for all slow readers together; beyond that the longest queues lose their oldest packets. 0 for no bound.
   * Default {@link DEFAULTS.maxQueuedBytes}.
   */
  readonly maxQueuedBytes?: number
  /** Bytes passed to a connection per write; the rest stays queued. Default {@link DEFAULTS.maxWriteBytes}. */
  readonly maxWriteBytes?: number
  /** Limit on what each client sends; mesh peers are exempt. Default: none. */
  readonly rateLimit?: RateLimit | undefined
  /**
   * Bytes per second that the relay reads from all clients together, shared fairly among them; mesh peers are exempt. 0
   * for no limit. Default {@link DEFAULTS.totalRate}.
   */
  readonly totalRate?: number
  /** Divides {@link totalRate} among the threads of a relay. Default: it has one. @internal */
  readonly shareLedger?: ShareLedger | undefined
  /**
   * Maximum logged-in clients; further logins are refused, except with the mesh key. 0 for no limit. Default
   * {@link DEFAULTS.maxClients}.
   */
  readonly maxClients?: number
  /** Whether to tell clients about problems with their connection. Default: no, as in the original. */
  readonly tellHealth?: boolean
  /** Milliseconds between pings to clients that support it; 0 for none. Default: 0, as in the original. */
  readonly pingClientsMs?: number
}

/** Defaults of {@link RelayCoreOptions}; in milliseconds, packets, bytes, clients and bytes per second, as the options. */
export const DEFAULTS: Readonly<Record<NumericOption, number>> = Object.freeze({
  loginTimeoutMs: 10_000,
  writeTimeoutMs: 2_000,
  meshWriteTimeoutMs: 30_000,
  keepAliveMs: 60_000,
  keepAliveJitterMs: 5_000,
  sendQueuePackets: 32,
  maxQueuedBytes: 2 ** 30,
  maxWriteBytes: 65_536,
  maxClients: 0,
  pingClientsMs: 0,
  totalRate: 0,
})

type NumericOption =
  | 'loginTimeoutMs'
  | 'writeTimeoutMs'
  | 'meshWriteTimeoutMs'
  | 'keepAliveMs'
  | 'keepAliveJitterMs'
  | 'sendQueuePackets'
  | 'maxQueuedBytes'
  | 'maxWriteBytes'
  | 'maxClients'
  | 'pingClientsMs'
  | 'totalRate'

const ADMIT_ALL: AdmissionGate = { admit: async () => ({ admit: true }) }

/** All options, checked. */
export type ResolvedRelayCoreOptions = Required<Omit<RelayCoreOptions, 'meshKey' | 'rateLimit' | 'shareLedger'>> & {
  readonly rateLimit: RateLimit | undefined
  readonly meshKey: MeshKey | undefined
  readonly shareLedger: ShareLedger | undefined
  readonly admission: AdmissionGate
}

const BOUNDS: Record<NumericOption, readonly [min: number, max: number]> = {
  loginTimeoutMs: [1, 3_600_000],
  writeTimeoutMs: [0, 3_600_000],
  meshWriteTimeoutMs: [0, 3_600_000],
  keepAliveMs: [1, 86_400_000],
  keepAliveJitterMs: [0, 86_400_000],
  sendQueuePackets: [1, 65_536],
  maxQueuedBytes: [0, Number.MAX_SAFE_INTEGER],
  maxWriteBytes: [1, 16 << 20],
  maxClients: [0, 16 << 20],
  pingClientsMs: [0, 3_600_000],
  totalRate: [0, 2 ** 40],
}

/** Applies defaults. @throws DerpError naming an option that is out of bounds. */
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
    shareLedger: options.shareLedger,
    admission: options.admission ?? ADMIT_ALL,
  }
  for (const [name, [min, max]] of Object.entries(BOUNDS)) {
    const value = resolved[name as NumericOption]
    const isNumber = typeof value === 'number'
    if (isNumber && value >= min && value <= max) continue
    const reason = isNumber ? `not within ${min} and ${max}` : `a ${typeof value}, not a number`
    throw new DerpError('ERR_DERP_CONFIG_INVALID', `set relay option ${name} to ${value}: ${reason}`)
  }
  if (options.privateKey.isZero()) {
    throw new DerpError('ERR_DERP_CONFIG_INVALID', 'set relay option privateKey: the key is zero')
  }
  return resolved
}
