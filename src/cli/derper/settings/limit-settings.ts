/** What connections and clients may take of the relay, from the flags. */

import { formatDuration } from '../../../lib/duration.ts'
import type { TokenBucketOptions } from '../../../lib/token-bucket.ts'
import type { AcceptLimitOptions } from '../../../listen/accept-limits.ts'
import type { FlagValues } from '../../go-flags.ts'
import { descriptorBudget } from '../descriptor-budget.ts'
import type { LIMIT_FLAGS } from '../flags/limits.ts'
import { badSetting } from './setting.ts'

export interface LimitSettings {
  readonly accept: AcceptLimitOptions
  /** Clients logged in at once; 0 for no limit. */
  readonly maxClients: number
  /** From the accept of a connection to its login or first request. */
  readonly loginTimeoutMs: number
  readonly maxHeaderBytes: number
  /** Undefined for no probes. */
  readonly tcpKeepAliveMs: number | undefined
}

type Flags = FlagValues<typeof LIMIT_FLAGS>

/** What Go takes 0 for. */
const DEFAULT_KEEP_ALIVE_MS = 15_000
/** The most that Linux takes. */
const MAX_KEEP_ALIVE_MS = 32_767_000
const MAX_LOGIN_TIMEOUT_MS = 3_600_000

/** @param workers threads that serve clients. @throws DerpError naming flag, value and reason. */
export function limitSettings(flags: Flags, workers: number): LimitSettings {
  return {
    accept: {
      rate: rate(flags, ''),
      sourceRate: rate(flags, '-per-source'),
      maxConnections: count(flags, 'max-connections') || descriptorBudget(workers),
      maxConnectionsPerSource: count(flags, 'max-connections-per-source') || undefined,
    },
    maxClients: within(flags, 'max-clients', 0, 1 << 24),
    loginTimeoutMs: loginTimeout(flags['login-timeout']),
    maxHeaderBytes: within(flags, 'max-header-bytes', 1_024, 1 << 20),
    tcpKeepAliveMs: keepAlive(flags['tcp-keepalive-time']),
  }
}

/** What was given in vain. */
export function limitNotes(given: ReadonlySet<string>): string[] {
  const without = (burst: string, limit: string) =>
    given.has(burst) && !given.has(limit) ? [`-${burst} has no effect: -${limit} is not set`] : []
  return [
    ...without('accept-connection-burst', 'accept-connection-limit'),
    ...without('accept-connection-burst-per-source', 'accept-connection-limit-per-source'),
    ...(given.has('tcp-user-timeout')
      ? ['-tcp-user-timeout has no effect: Node has no such switch; -tcp-write-timeout ends clients that take nothing']
      : []),
  ]
}

/** Without a burst there is one of what a second brings, so that a limit always limits. */
function rate(flags: Flags, suffix: '' | '-per-source'): TokenBucketOptions | undefined {
  const [limitFlag, burstFlag] = [`accept-connection-limit${suffix}`, `accept-connection-burst${suffix}`] as const
  const perSecond = flags[limitFlag]
  if (!(perSecond > 0)) throw badSetting(limitFlag, perSecond, 'not above 0; +Inf is for no limit')
  const burst = count(flags, burstFlag)
  return perSecond === Number.POSITIVE_INFINITY ? undefined : { perSecond, burst: burst || Math.ceil(perSecond) }
}

type IntFlag = {
  [K in keyof typeof LIMIT_FLAGS]: (typeof LIMIT_FLAGS)[K]['kind'] extends 'int' ? K : never
}[keyof typeof LIMIT_FLAGS]

function count(flags: Flags, flag: IntFlag): number {
  return within(flags, flag, 0, Number.POSITIVE_INFINITY)
}

function within(flags: Flags, flag: IntFlag, min: number, max: number): number {
  const value = flags[flag]
  if (value < min) throw badSetting(flag, value, `below ${min}`)
  if (value > max) throw badSetting(flag, value, `above ${max}`)
  return value
}

function loginTimeout(ms: number): number {
  if (ms > 0 && ms <= MAX_LOGIN_TIMEOUT_MS) return ms
  throw badSetting('login-timeout', formatDuration(ms), 'not above 0 and at most 1h')
}

/** In whole seconds, as TCP counts, and never none of them. */
function keepAlive(ms: number): number | undefined {
  if (ms < 0) return undefined
  if (ms > MAX_KEEP_ALIVE_MS)
    throw badSetting('tcp-keepalive-time', formatDuration(ms), 'above 9h6m7s, the most that TCP takes')
  return ms === 0 ? DEFAULT_KEEP_ALIVE_MS : Math.ceil(ms / 1_000) * 1_000
}
