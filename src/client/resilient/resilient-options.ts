/** Options of {@link ResilientClient}, defaults and checks. */

import { type Clock, systemClock } from '../../lib/clock.ts'
import { DerpError } from '../../lib/derp-error.ts'
import { type Log, silentLog } from '../../lib/log.ts'
import type { Client } from '../client.ts'
import type { NetworkMonitor } from '../ports.ts'

/** Options of {@link ResilientClient}. */
export interface ResilientClientOptions<T> extends Settable<ResilientSnapshot> {
  /** Relays that serve the same clients, best first; may be empty, and replaced later. */
  readonly targets: readonly T[]
  /** Creates the client of a target, once per target. It must not be used by anything else. */
  readonly createClient: (target: T) => Client
  /** Name of a target in events and logs. Default: `String(target)`. */
  readonly nameOf?: ((target: T) => string) | undefined
  /** Whether a connection to `a` may continue when `a` is replaced by `b`. Default: same value, or equal URLs. */
  readonly isSame?: ((a: T, b: T) => boolean) | undefined
  /** Reports changes of the host's network: a connection whose address is gone is dropped, a wait is cut short. */
  readonly netMon?: NetworkMonitor | undefined
  /** Time and timers. Default: the platform's; in pages one that allows for frozen tabs. */
  readonly clock?: Clock | undefined
  /** Receives a line for each connection that has ended, and what listeners throw. Default: nothing is logged. */
  readonly log?: Log | undefined
  /** Random numbers in [0, 1), for jitter. Default: `Math.random`. */
  readonly random?: (() => number) | undefined
}

/** Numeric options of {@link ResilientClientOptions}. */
export interface ResilientSnapshot {
  /**
   * Maximum milliseconds from a target's first failure to the next attempt; doubles with each failure.
   *
   * Default {@link DEFAULTS.backoffMinMs}.
   */
  readonly backoffMinMs: number
  /** Maximum milliseconds after any number of failures. Default {@link DEFAULTS.backoffMaxMs}. */
  readonly backoffMaxMs: number
  /** Maximum milliseconds from the first refusal of this client to the next attempt; doubles with each one. Default {@link DEFAULTS.deniedMinMs}. */
  readonly deniedMinMs: number
  /** Maximum milliseconds after any number of refusals. Default {@link DEFAULTS.deniedMaxMs}. */
  readonly deniedMaxMs: number
  /**
   * Maximum milliseconds to wait after a relay that reported a duplicate key has closed.
   *
   * Default {@link DEFAULTS.duplicateMs}.
   */
  readonly duplicateMs: number
  /** Milliseconds from the start of an attempt to ServerInfo. Default {@link DEFAULTS.attemptTimeoutMs}. */
  readonly attemptTimeoutMs: number
  /**
   * Milliseconds from ServerInfo until a packet or pong resets earlier failures.
   *
   * Default {@link DEFAULTS.healthyAfterMs}.
   */
  readonly healthyAfterMs: number
  /** Milliseconds without a message after which the relay is pinged. Default {@link DEFAULTS.pingIntervalMs}. */
  readonly pingIntervalMs: number
  /**
   * Milliseconds without a pong or anything else after which a connection is closed.
   *
   * Default {@link DEFAULTS.pingTimeoutMs}.
   */
  readonly pingTimeoutMs: number
  /** Milliseconds that `send` waits for a connection; 0 rejects at once. Default {@link DEFAULTS.sendWaitMs}. */
  readonly sendWaitMs: number
  /**
   * Maximum bytes of received messages for a slow caller; beyond that, reading pauses.
   *
   * Default {@link DEFAULTS.receiveQueueBytes}.
   */
  readonly receiveQueueBytes: number
}

export type ResilientNumber = keyof ResilientSnapshot

type Settable<Options> = { readonly [Name in keyof Options]?: Options[Name] | undefined }

/** Defaults. */
export const DEFAULTS: ResilientSnapshot = Object.freeze({
  backoffMinMs: 250,
  backoffMaxMs: 30_000,
  deniedMinMs: 120_000,
  deniedMaxMs: 300_000,
  duplicateMs: 60_000,
  attemptTimeoutMs: 15_000,
  healthyAfterMs: 10_000,
  pingIntervalMs: 30_000,
  pingTimeoutMs: 10_000,
  sendWaitMs: 5_000,
  receiveQueueBytes: 1 << 20,
})

const BOUNDS: Readonly<Record<ResilientNumber, readonly [min: number, max: number]>> = {
  backoffMinMs: [1, 3_600_000],
  backoffMaxMs: [1, 3_600_000],
  deniedMinMs: [1, 86_400_000],
  deniedMaxMs: [1, 86_400_000],
  duplicateMs: [1, 86_400_000],
  attemptTimeoutMs: [1, 3_600_000],
  healthyAfterMs: [0, 3_600_000],
  pingIntervalMs: [1, 86_400_000],
  pingTimeoutMs: [1, 3_600_000],
  sendWaitMs: [0, 3_600_000],
  receiveQueueBytes: [1, 1 << 30],
}

/** {@link ResilientClientOptions}, checked. */
export interface ResolvedResilientOptions<T> extends ResilientSnapshot {
  readonly createClient: (target: T) => Client
  readonly nameOf: (target: T) => string
  readonly isSame: (a: T, b: T) => boolean
  readonly netMon: NetworkMonitor | undefined
  readonly clock: Clock
  readonly log: Log
  readonly random: () => number
}

/** Applies defaults. @throws DerpError naming an option that is out of bounds. */
export function resolveResilientOptions<T>(options: ResilientClientOptions<T>): ResolvedResilientOptions<T> {
  const numbers: Record<ResilientNumber, number> = { ...DEFAULTS }
  for (const name of Object.keys(BOUNDS) as ResilientNumber[]) {
    const [min, max] = BOUNDS[name]
    const value = options[name] ?? DEFAULTS[name]
    if (!(value >= min && value <= max)) throw invalid(name, value, `not within ${min} and ${max}`)
    numbers[name] = value
  }
  for (const delay of ['backoff', 'denied'] as const) {
    const min = numbers[`${delay}MinMs`]
    if (min > numbers[`${delay}MaxMs`]) throw invalid(`${delay}MinMs`, min, 'above the maximum')
  }
  return {
    ...numbers,
    createClient: options.createClient,
    nameOf: options.nameOf ?? String,
    isSame: options.isSame ?? isSameTarget,
    netMon: options.netMon,
    clock: options.clock ?? systemClock,
    log: options.log ?? silentLog,
    random: options.random ?? Math.random,
  }
}

function isSameTarget(a: unknown, b: unknown): boolean {
  return Object.is(a, b) || (a instanceof URL && b instanceof URL && a.href === b.href)
}

function invalid(name: string, value: number, reason: string): DerpError {
  return new DerpError('ERR_DERP_CONFIG_INVALID', `set resilient client option ${name} to ${value}: ${reason}`)
}
