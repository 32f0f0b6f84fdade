/** What a caller may say about one STUN exchange, the defaults, and the checks. */

import { type Clock, systemClock } from '../lib/clock.ts'
import { STUN_PORT } from './constants.ts'

export interface StunBindingOptions {
  /** Name or address of the server. */
  readonly host: string
  /** UDP port. Default {@link DEFAULTS.port}. */
  readonly port?: number | undefined
  /** Limit for everything, looking up the name included. Default {@link DEFAULTS.timeoutMs}. */
  readonly timeoutMs?: number | undefined
  /** Wait before the second request, doubled before each further one. Default {@link DEFAULTS.retransmitMs}. */
  readonly retransmitMs?: number | undefined
  /** Requests sent at most. Default {@link DEFAULTS.maxRequests}. */
  readonly maxRequests?: number | undefined
  /** Ends the exchange early; the promise rejects with its reason. */
  readonly signal?: AbortSignal | undefined
  /** Chooses the family of addresses. Default: whichever the name has, IPv4 first. */
  readonly socketType?: 'udp4' | 'udp6' | undefined
  /** For tests. */
  readonly clock?: Clock | undefined
}

/** Values for what a caller leaves out; waits and count are those of RFC 8489 section 6.2.1. */
export const DEFAULTS: {
  readonly port: number
  readonly timeoutMs: number
  readonly retransmitMs: number
  readonly maxRequests: number
} = Object.freeze({ port: STUN_PORT, timeoutMs: 5000, retransmitMs: 500, maxRequests: 7 })

/** Options with nothing left out but what may be missing. */
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

/** Fills in defaults. @throws RangeError naming the option that makes no sense. */
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
  if (!isGood) throw new RangeError(`use STUN option ${name} of ${value}: out of range`)
}
