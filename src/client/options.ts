/**
 * Options of clients: what may be set, the defaults, and their checks.
 *
 * Clauses: P-023, P-033, P-070, P-092, P-094, P-095, P-100, P-101, P-122, P-202.
 */

import type { KeyAgreement } from '../keys/box.ts'
import type { MeshKey } from '../keys/mesh-key.ts'
import type { NodePrivateKey, NodePublicKey } from '../keys/node-key.ts'
import { type Clock, systemClock } from '../lib/clock.ts'
import { DerpError } from '../lib/derp-error.ts'
import { type Log, silentLog } from '../lib/log.ts'
import { APP_NAME } from '../protocol/client-info.ts'
import type { HealthTracker } from './health-reporter.ts'
import type { ClientTransport, NetworkMonitor } from './ports.ts'

/** Options of one connection, however it was made. */
export interface ConnectionOptions {
  /** The mesh's secret, for relays of the mesh and trusted monitors. */
  readonly meshKey?: MeshKey | undefined
  /** Tells the relay that this is a prober. */
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
  /** Answers the relay's pings; the caller still receives them. */
  readonly autoPong?: boolean | undefined
  readonly clock?: Clock | undefined
  readonly log?: Log | undefined
  /** A connection ends after this many milliseconds without a whole frame. Default {@link DEFAULTS.readTimeoutMs}. */
  readonly readTimeoutMs?: number | undefined
  /**
   * Received messages waiting for the caller, in bytes; when full, the connection is not read.
   *
   * Default {@link DEFAULTS.receiveQueueBytes}. A relay drops the packets, and in the
   * end the connection, of a client that does not read: a larger queue rides out longer pauses.
   */
  readonly receiveQueueBytes?: number | undefined
}

/** Told of events as they happen, not when somebody receives them. Must not throw. */
export interface ConnectionObserver {
  /** What the relay says is wrong with the connection; empty when it is well again (P-092). */
  onHealth?(problem: string): void
  /** The connection is over. */
  onEnd?(error: DerpError): void
}

/** Options of a {@link DerpClient}. */
export interface DerpClientOptions extends ConnectionOptions {
  readonly privateKey: NodePrivateKey
  readonly agreement: KeyAgreement
  /** The relay's key, when known beforehand: the login then does not wait for the relay's. */
  readonly serverKey?: NodePublicKey | undefined
  readonly observer?: ConnectionObserver | undefined
  /** Milliseconds for the login. Default {@link DEFAULTS.connectTimeoutMs}. */
  readonly loginTimeoutMs?: number | undefined
}

/** Options of a {@link Client}. */
export interface ClientOptions extends ConnectionOptions {
  readonly transport: ClientTransport
  /** Computes the shared key of each login. */
  readonly agreement: KeyAgreement
  /** Asks the relay, on every connection, which clients come and go; needs the mesh key. */
  readonly watchConnectionChanges?: boolean | undefined
  /** Told when connections begin and end, and what the relay says about them. */
  readonly healthTracker?: HealthTracker | undefined
  /** Gives a signal for each attempt to connect; aborting it ends the attempt. */
  readonly baseContext?: (() => AbortSignal) | undefined
  /** Tells when the host's network changes; passed to the transport with each request. */
  readonly netMon?: NetworkMonitor | undefined
  /** Milliseconds for a whole attempt to connect. Default {@link DEFAULTS.connectTimeoutMs}. */
  readonly connectTimeoutMs?: number | undefined
}

/** What is used for options that are left out. */
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

/** Fills in the defaults. @throws DerpError naming an option that is out of bounds. */
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
export function checkAppName(name: string | undefined): string | undefined {
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
