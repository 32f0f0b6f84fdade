/**
 * Client options, defaults and checks.
 *
 * Clauses: P-023, P-033, P-070, P-092, P-094, P-095, P-100, P-101, P-122, P-202.
 */

import type { KeyAgreement } from '../keys/box.ts'
import type { MeshKey } from '../keys/mesh-key.ts'
import type { PrivateKey } from '../keys/private-key.ts'
import type { NodePublicKey } from '../keys/public-key.ts'
import { type Clock, systemClock } from '../lib/clock.ts'
import { DerpError } from '../lib/derp-error.ts'
import { type Log, silentLog } from '../lib/log.ts'
import { APP_NAME } from '../protocol/client-info.ts'
import type { HealthTracker } from './health-reporter.ts'
import type { ClientTransport, NetworkMonitor } from './ports.ts'

/** Options of a connection, however it is established. */
export interface ConnectionOptions {
  /** The mesh key, for relays of the mesh and trusted monitors. */
  readonly meshKey?: MeshKey | undefined
  /** Tells the relay that this is a prober. Default: false. */
  readonly isProber?: boolean | undefined
  /**
   * Name of the application, for the relay's statistics: 1 to 32 printable ASCII characters. Newer relays know it, older
   * ones ignore it. Default: none is sent.
   */
  readonly appName?: string | undefined
  /**
   * Tells the relay that its pings will be answered: by the caller of `recv`, unless {@link autoPong} is set. Default:
   * the value of `autoPong`.
   */
  readonly canAckPings?: boolean | undefined
  /** Replies to the relay's pings automatically; the caller still receives them. Default: false. */
  readonly autoPong?: boolean | undefined
  /** Time and timers. Default: the platform's. */
  readonly clock?: Clock | undefined
  /** Receives debug lines of connections that begin and end, and what callbacks throw. Default: nothing is logged. */
  readonly log?: Log | undefined
  /** A connection ends after this many milliseconds without a whole frame. Default {@link DEFAULTS.readTimeoutMs}. */
  readonly readTimeoutMs?: number | undefined
  /**
   * Maximum bytes of received messages waiting for the caller; beyond that, reading pauses.
   *
   * Default {@link DEFAULTS.receiveQueueBytes}. A relay drops the packets, and eventually the connection, of a client that
   * does not read: a larger queue tolerates longer pauses.
   */
  readonly receiveQueueBytes?: number | undefined
}

/** Notified of events when they happen, not when they are received. Must not throw. */
export interface ConnectionObserver {
  /** A problem with the connection reported by the relay; empty clears it. */
  onHealth?(problem: string): void
  /** The connection has ended. */
  onEnd?(error: DerpError): void
}

/** Options of a {@link DerpClient}. */
export interface DerpClientOptions extends ConnectionOptions {
  /** The client's identity. */
  readonly privateKey: PrivateKey
  /** Computes the shared key of the login. */
  readonly agreement: KeyAgreement
  /** The relay's key, if known beforehand: login then does not wait for ServerKey. */
  readonly serverKey?: NodePublicKey | undefined
  /** Notified of the end, and of problems that the relay reports. */
  readonly observer?: ConnectionObserver | undefined
  /** Milliseconds for the login. Default {@link DEFAULTS.connectTimeoutMs}. */
  readonly loginTimeoutMs?: number | undefined
}

/** Options of a {@link Client}. */
export interface ClientOptions extends ConnectionOptions {
  /** Opens the connections. */
  readonly transport: ClientTransport
  /** Computes the shared key of each login. */
  readonly agreement: KeyAgreement
  /** Asks the relay, on every connection, to report clients that connect and disconnect; needs the mesh key. Default: false. */
  readonly watchConnectionChanges?: boolean | undefined
  /** Notified when connections begin and end, and of problems reported by the relay. */
  readonly healthTracker?: HealthTracker | undefined
  /** Returns a signal for each connection attempt; aborting it cancels the attempt. */
  readonly baseContext?: (() => AbortSignal) | undefined
  /** Reports changes of the host's network; passed to the transport with each request. */
  readonly netMon?: NetworkMonitor | undefined
  /** Milliseconds for a whole connection attempt. Default {@link DEFAULTS.connectTimeoutMs}. */
  readonly connectTimeoutMs?: number | undefined
}

/** Defaults. */
export const DEFAULTS: Readonly<Record<NumericOption, number>> = Object.freeze({
  connectTimeoutMs: 10_000,
  readTimeoutMs: 120_000,
  receiveQueueBytes: 1 << 20,
})

type NumericOption = 'connectTimeoutMs' | 'readTimeoutMs' | 'receiveQueueBytes'

const BOUNDS: Record<NumericOption, readonly [min: number, max: number]> = {
  connectTimeoutMs: [1, 3_600_000],
  readTimeoutMs: [1, 86_400_000],
  receiveQueueBytes: [1, 1 << 30],
}

/** {@link ConnectionOptions}, checked. */
export interface ResolvedConnectionOptions {
  readonly meshKey: MeshKey | undefined
  readonly isProber: boolean
  readonly appName: string | undefined
  readonly canAckPings: boolean
  readonly autoPong: boolean
  readonly clock: Clock
  readonly log: Log
  readonly readTimeoutMs: number
  readonly receiveQueueBytes: number
}

/** Applies defaults. @throws DerpError naming an option that is out of bounds. */
export function resolveConnectionOptions(options: ConnectionOptions): ResolvedConnectionOptions {
  return {
    meshKey: options.meshKey,
    isProber: options.isProber ?? false,
    appName: checkAppName(options.appName),
    canAckPings: options.canAckPings ?? options.autoPong ?? false,
    autoPong: options.autoPong ?? false,
    clock: options.clock ?? systemClock,
    log: options.log ?? silentLog,
    readTimeoutMs: resolveNumber('readTimeoutMs', options.readTimeoutMs),
    receiveQueueBytes: resolveNumber('receiveQueueBytes', options.receiveQueueBytes),
  }
}

/** @throws DerpError for a name that relays would not keep. */
function checkAppName(name: string | undefined): string | undefined {
  if (name === undefined || APP_NAME.test(name)) return name
  const value = JSON.stringify(name)
  throw new DerpError(
    'ERR_DERP_CONFIG_INVALID',
    `set client option appName to ${value}: not 1 to 32 printable ASCII characters`,
  )
}

/** The value or its default. @throws DerpError when it is out of bounds. */
export function resolveNumber(name: NumericOption, value: number | undefined): number {
  const [min, max] = BOUNDS[name]
  const resolved = value ?? DEFAULTS[name]
  if (resolved >= min && resolved <= max) return resolved
  throw new DerpError('ERR_DERP_CONFIG_INVALID', `set client option ${name} to ${value}: not within ${min} and ${max}`)
}
