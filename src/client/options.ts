/** Options of clients: what may be set, the defaults, and their checks. */

import type { KeyAgreement } from '../keys/box.ts'
import type { MeshKey } from '../keys/mesh-key.ts'
import type { NodePrivateKey, NodePublicKey } from '../keys/node-key.ts'
import { type Clock, systemClock } from '../lib/clock.ts'
import { DerpError } from '../lib/derp-error.ts'
import { type Log, silentLog } from '../lib/log.ts'
import type { HealthTracker } from './health-reporter.ts'
import type { ClientTransport, NetworkMonitor } from './ports.ts'

/** What one connection can be told, whoever made it. */
export interface ConnectionOptions {
  /** Secret of the mesh, for siblings and trusted monitors (P-023). */
  readonly meshKey?: MeshKey | undefined
  /** Tells the relay that this is a prober (P-033). */
  readonly isProber?: boolean | undefined
  /**
   * Tells the relay that its pings will be answered; unless {@link autoPong} is set, the caller of `recv` sends the
   * pongs (P-095). Default: the value of `autoPong`.
   */
  readonly canAckPings?: boolean | undefined
  /** Answers the relay's pings without the caller, who still receives them (P-095). */
  readonly autoPong?: boolean | undefined
  readonly clock?: Clock | undefined
  readonly log?: Log | undefined
  /** Milliseconds without a whole frame that end a connection (P-094). Default {@link DEFAULTS.readTimeoutMs}. */
  readonly readTimeoutMs?: number | undefined
  /**
   * Bytes of received messages kept for a caller who is slow to take them; beyond it the connection is not read.
   *
   * Default {@link DEFAULTS.receiveQueueBytes}. A relay drops packets, and in the end the connection, of a client
   * that does not read (P-100, P-101): a larger queue rides out longer pauses.
   */
  readonly receiveQueueBytes?: number | undefined
}

/** Is told what happens on a connection when it happens, not when somebody receives. It must not throw. */
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
  /** The relay's key when it is known beforehand: ServerKey is not awaited then (P-122). */
  readonly serverKey?: NodePublicKey | undefined
  readonly observer?: ConnectionObserver | undefined
  /** Milliseconds for the login (P-202). Default {@link DEFAULTS.connectTimeoutMs}. */
  readonly loginTimeoutMs?: number | undefined
}

/** Options of a {@link Client}. */
export interface ClientOptions extends ConnectionOptions {
  readonly transport: ClientTransport
  /** Computes the shared key of each login. */
  readonly agreement: KeyAgreement
  /** Asks the relay, on every connection, who comes and goes; needs the mesh key (P-070). */
  readonly watchConnectionChanges?: boolean | undefined
  /** Is told of connecting, of the end of connections, and of what the relay says of them (P-092). */
  readonly healthTracker?: HealthTracker | undefined
  /** Gives a signal for each attempt to connect, which an abort of it ends. */
  readonly baseContext?: (() => AbortSignal) | undefined
  /** Tells when the host's network changes; this class only hands it on to the transport, with each request. */
  readonly netMon?: NetworkMonitor | undefined
  /** Milliseconds for a whole attempt to connect (P-202). Default {@link DEFAULTS.connectTimeoutMs}. */
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
    canAckPings: options.canAckPings ?? options.autoPong ?? false,
    autoPong: options.autoPong ?? false,
    clock: options.clock ?? systemClock,
    log: options.log ?? silentLog,
    readTimeoutMs: resolveNumber('readTimeoutMs', options.readTimeoutMs),
    receiveQueueBytes: resolveNumber('receiveQueueBytes', options.receiveQueueBytes),
  }
}

/** The value or its default. @throws DerpError when it is out of bounds. */
export function resolveNumber(name: NumericOption, value: number | undefined): number {
  const [min, max] = BOUNDS[name]
  const resolved = value ?? DEFAULTS[name]
  if (resolved >= min && resolved <= max) return resolved
  throw new DerpError('ERR_DERP_CONFIG_INVALID', `set client option ${name} to ${value}: not within ${min} and ${max}`)
}
