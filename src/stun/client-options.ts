/** Options of a STUN exchange, defaults and checks. */

import { type Clock, systemClock } from '../lib/clock.ts'
import { STUN_PORT } from './constants.ts'

/** Options of `stunBinding`. */
export interface StunBindingOptions {
  /** Name or address of the server. */
  readonly host: string
  /** UDP port. Default {@link DEFAULTS.port}. */
  readonly port?: number | undefined
  /** Milliseconds for everything, name lookup included. Default {@link DEFAULTS.timeoutMs}. */
  readonly timeoutMs?: number | undefined
  /** Milliseconds before the second request, doubled before each further one. Default {@link DEFAULTS.retransmitMs}. */
  readonly retransmitMs?: number | undefined
  /** Maximum number of requests. Default {@link DEFAULTS.maxRequests}. */
  readonly maxRequests?: number | undefined
  /** Cancels the exchange; the promise rejects with its reason. */
  readonly signal?: AbortSignal | undefined
  /** Address family. Default: whichever the name has, IPv4 first. */
  readonly socketType?: 'udp4' | 'udp6' | undefined
  /** Time and timers. Default: the platform's. */
  readonly clock?: Clock | undefined
}

/** Defaults; waits and count are those of RFC 8489 section 6.2.1. */
export const DEFAULTS: {
  readonly port: number
  readonly timeoutMs: number
  readonly retransmitMs: number
  readonly maxRequests: number
} = Object.freeze({ port: STUN_PORT, timeoutMs: 5000, retransmitMs: 500, maxRequests: 7 })

/** Options with defaults applied. */
export interface ResolvedBindingOptions {
  readonly host: string
  readonly port: number
  readonly timeoutMs: number
  readonly retransmitMs: number
  readonly maxRequests: number
  readonly family: 0 | 4 | 6
  readonly signal: AbortSignal | undefined
  readonly clock: Clock
}

/** Applies defaults. @throws RangeError naming the invalid option. */
export function resolveBindingOptions(options: StunBindingOptions): ResolvedBindingOptions {
  const { port = DEFAULTS.port, timeoutMs = DEFAULTS.timeoutMs } = options
  const { retransmitMs = DEFAULTS.retransmitMs, maxRequests = DEFAULTS.maxRequests } = options
  assertOption('port', port, Number.isInteger(port) && port >= 1 && port <= 65535)
  assertOption('timeoutMs', timeoutMs, Number.isFinite(timeoutMs) && timeoutMs > 0)
  assertOption('retransmitMs', retransmitMs, Number.isFinite(retransmitMs) && retransmitMs > 0)
  assertOption('maxRequests', maxRequests, Number.isInteger(maxRequests) && maxRequests >= 1)
  const family = options.socketType === undefined ? 0 : options.socketType === 'udp4' ? 4 : 6
  const { host, signal, clock = systemClock } = options
  return { host, port, timeoutMs, retransmitMs, maxRequests, family, signal, clock }
}

function assertOption(name: string, value: number, isGood: boolean): void {
  if (!isGood) throw new RangeError(`set STUN option ${name} to ${value}: out of range`)
}
