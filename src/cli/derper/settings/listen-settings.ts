/** Listen address and connection limits, from the flags. */

import type { ListenAddress } from '../../../daemon/listen-address.ts'
import type { ListenSettings } from '../../../daemon/settings.ts'
import { formatDuration } from '../../../lib/duration.ts'
import type { TokenBucketOptions } from '../../../lib/rate/token-bucket.ts'
import type { FlagValues } from '../../go-flags.ts'
import { descriptorBudget } from '../descriptor-budget.ts'
import type { LIMIT_FLAGS } from '../flags/limits.ts'
import type { PROXY_FLAGS } from '../flags/proxies.ts'
import type { TLS_FLAGS } from '../flags/tls.ts'
import { proxySettings } from './proxy-settings.ts'
import { intSetting, settingError } from './setting.ts'

type LimitFlags = FlagValues<typeof LIMIT_FLAGS>
type TlsFlags = Pick<FlagValues<typeof TLS_FLAGS>, 'tls-record-bytes'>
type Flags = LimitFlags & FlagValues<typeof PROXY_FLAGS> & TlsFlags

/** Go's default, used for 0. */
const DEFAULT_KEEP_ALIVE_MS = 15_000
/** Linux's maximum. */
const MAX_KEEP_ALIVE_MS = 32_767_000
const MAX_LOGIN_TIMEOUT_MS = 3_600_000
const ANY_COUNT = [0, Number.POSITIVE_INFINITY] as const
const HEADER_BYTES = [1_024, 1 << 20] as const
/** What OpenSSL takes. */
const RECORD_BYTES = [512, 16_384] as const

/** @param workers threads that serve clients. @throws DerpError naming flag, value and reason. */
export function listenSettings(flags: Flags, address: ListenAddress, workers: number): ListenSettings {
  const tcpKeepAliveMs = keepAlive(flags['tcp-keepalive-time'])
  return {
    address,
    limits: {
      rate: rate(flags, ''),
      sourceRate: rate(flags, '-per-source'),
      maxConnections: maxConnections(flags, descriptorBudget(workers)),
      maxConnectionsPerSource: intSetting(flags, 'max-connections-per-source', ANY_COUNT) || undefined,
    },
    acceptTimeoutMs: loginTimeoutSetting(flags),
    maxHeaderBytes: intSetting(flags, 'max-header-bytes', HEADER_BYTES),
    tlsRecordBytes: flags['tls-record-bytes'] === 0 ? 0 : intSetting(flags, 'tls-record-bytes', RECORD_BYTES),
    ...(tcpKeepAliveMs !== undefined && { tcpKeepAliveMs }),
    ...proxySettings(flags),
  }
}

/** Above the budget accepting would fail, in a loop that takes a whole core on some runtimes. */
function maxConnections(flags: LimitFlags, budget: number | undefined): number | undefined {
  const asked = intSetting(flags, 'max-connections', ANY_COUNT)
  return asked === 0 ? budget : Math.min(asked, budget ?? asked)
}

/** Fewer connections most likely come from a default limit. */
const FEW_CONNECTIONS = 1_000

/** Warns if the descriptor limit restricts the number of connections. */
export function descriptorNotes(
  flags: Pick<LimitFlags, 'max-connections'>,
  workers: number,
  budget: number | undefined = descriptorBudget(workers),
): string[] {
  const wanted = flags['max-connections']
  if (budget === undefined || (wanted === 0 ? budget >= FEW_CONNECTIONS : wanted <= budget)) return []
  const raise = 'raise it with LimitNOFILE= (systemd), --ulimit (Docker) or ulimit -n'
  return wanted === 0
    ? [`the open files limit allows only ${budget} connections; ${raise}`]
    : [`-max-connections is ${wanted}, but the open files limit allows ${budget} connections; ${raise}`]
}

/** Milliseconds from accept to login or first request. @throws DerpError naming flag and value. */
export function loginTimeoutSetting({ 'login-timeout': ms }: Pick<LimitFlags, 'login-timeout'>): number {
  if (ms > 0 && ms <= MAX_LOGIN_TIMEOUT_MS) return ms
  throw settingError('login-timeout', formatDuration(ms), 'not above 0 and at most 1h')
}

/** The burst defaults to one second's worth, so that a limit always takes effect. */
function rate(flags: Flags, suffix: '' | '-per-source'): TokenBucketOptions | undefined {
  const [limitFlag, burstFlag] = [`accept-connection-limit${suffix}`, `accept-connection-burst${suffix}`] as const
  const perSecond = flags[limitFlag]
  if (!(perSecond > 0)) throw settingError(limitFlag, perSecond, 'not above 0; use +Inf for no limit')
  const burst = intSetting(flags, burstFlag, ANY_COUNT)
  return perSecond === Number.POSITIVE_INFINITY ? undefined : { perSecond, burst: burst || Math.ceil(perSecond) }
}

/** Rounded up to whole seconds, the unit of TCP. */
function keepAlive(ms: number): number | undefined {
  if (ms < 0) return undefined
  if (ms > MAX_KEEP_ALIVE_MS)
    throw settingError('tcp-keepalive-time', formatDuration(ms), 'above 9h6m7s, the maximum of TCP')
  return ms === 0 ? DEFAULT_KEEP_ALIVE_MS : Math.ceil(ms / 1_000) * 1_000
}
