/** Options of {@link ResilientClient}: what may be set, the defaults, and their checks. */

import { type Clock, systemClock } from '../../lib/clock.ts'
import { DerpError } from '../../lib/derp-error.ts'
import { type Log, silentLog } from '../../lib/log.ts'
import type { Client } from '../client.ts'
import type { NetworkMonitor } from '../ports.ts'

export interface ResilientClientOptions<T> extends Settable<ResilientSnapshot> {
  /** Relays that serve the same clients, the best first; they may be replaced later, and may be none. */
  readonly targets: readonly T[]
  /** Makes the client of a target, once for each. Nobody else may use it. */
  readonly createClient: (target: T) => Client
  /** What events and logs call a target. Default: `String(target)`. */
  readonly nameOf?: ((target: T) => string) | undefined
  /** Whether a connection to `a` may go on when `a` is replaced by `b`. Default: the same value, or URLs that are equal. */
  readonly isSame?: ((a: T, b: T) => boolean) | undefined
  /** Tells when the host's network changes: a connection whose address is gone is dropped, waiting is cut short. */
  readonly netMon?: NetworkMonitor | undefined
  readonly clock?: Clock | undefined
  readonly log?: Log | undefined
  /** Random numbers in [0, 1), for jitter. */
  readonly random?: (() => number) | undefined
}

/** Numbers that may be set; {@link DEFAULTS} says what they are otherwise. */
export interface ResilientSnapshot {
  /** Most milliseconds between the first failure of a target and the next attempt; they double with each failure. */
  readonly backoffMinMs: number
  /** Most milliseconds after any number of failures. */
  readonly backoffMaxMs: number
  /** The same for a relay that does not want this client. */
  readonly deniedMinMs: number
  readonly deniedMaxMs: number
  /** Most milliseconds to wait when a relay that says that our key is connected twice has closed. */
  readonly duplicateMs: number
  /** Milliseconds from the beginning of an attempt to ServerInfo. */
  readonly attemptTimeoutMs: number
  /** Milliseconds from ServerInfo to the earliest packet or pong that lets earlier failures be forgotten. */
  readonly healthyAfterMs: number
  /** Milliseconds without a message after which the relay is pinged. */
  readonly pingIntervalMs: number
  /** Milliseconds without an answer, and without anything else, that end a connection. */
  readonly pingTimeoutMs: number
  /** Milliseconds that `send` waits for a connection; 0 has it rejected at once. */
  readonly sendWaitMs: number
  /** Bytes of received messages kept for a caller who is slow to take them; beyond it nothing is read. */
  readonly receiveQueueBytes: number
}

export type ResilientNumber = keyof ResilientSnapshot

type Settable<Options> = { readonly [Name in keyof Options]?: Options[Name] | undefined }

/** What is used for numbers that are left out. */
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

/** Fills in the defaults. @throws DerpError naming an option that is out of bounds. */
export function resolveResilientOptions<T>(options: ResilientClientOptions<T>): ResolvedResilientOptions<T> {
  const numbers: Record<ResilientNumber, number> = { ...DEFAULTS }
  for (const name of Object.keys(BOUNDS) as ResilientNumber[]) {
    const [min, max] = BOUNDS[name]
    const value = options[name] ?? DEFAULTS[name]
    if (!(value >= min && value <= max)) throw invalid(name, value, `not within ${min} and ${max}`)
    numbers[name] = value
  }
  if (numbers.backoffMinMs > numbers.backoffMaxMs) throw invalid('backoffMinMs', numbers.backoffMinMs, 'above the most')
  if (numbers.deniedMinMs > numbers.deniedMaxMs) throw invalid('deniedMinMs', numbers.deniedMinMs, 'above the most')
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
