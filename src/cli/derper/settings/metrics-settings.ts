/** Settings of the metrics listener, from the flags (P-172, P-173). */

import { parseListenAddress } from '../../../daemon/listen-address.ts'
import type { MetricsSettings } from '../../../daemon/settings.ts'
import type { MetricsAccess } from '../../../http/metrics/metrics-access.ts'
import { CidrList } from '../../../listen/cidr-list.ts'
import type { FlagValues } from '../../go-flags.ts'
import type { METRICS_FLAGS } from '../flags/metrics.ts'
import { listSetting, settingError } from './setting.ts'

/** Shorter tokens could be guessed. */
const MIN_TOKEN_LENGTH = 16
const LOOPBACK = new CidrList(['127.0.0.0/8', '::1'])

/** Undefined for no listener. @throws DerpError naming flag, value (tokens hidden) and reason. */
export function metricsSettings(flags: FlagValues<typeof METRICS_FLAGS>): MetricsSettings | undefined {
  const text = flags['metrics-addr']
  const access = metricsAccess(flags)
  if (text === '') return undefined
  const address = parseListenAddress('metrics-addr', text)
  const isOpen = access.token === undefined && access.ranges === undefined
  if (isOpen && !(address.host === 'localhost' || LOOPBACK.includes(address.host ?? ''))) {
    const reason = 'others can reach it; set -metrics-token or -metrics-allow, or listen on 127.0.0.1'
    throw settingError('metrics-addr', text, reason)
  }
  return { address, access }
}

/** Who may read the metrics. @throws DerpError naming the flag and what is wrong. */
export function metricsAccess(flags: FlagValues<typeof METRICS_FLAGS>): MetricsAccess {
  const { 'metrics-token': token, 'metrics-allow': allow } = flags
  if (token !== '' && token.length < MIN_TOKEN_LENGTH) {
    throw settingError('metrics-token', '…', `has ${token.length} characters, needs ${MIN_TOKEN_LENGTH} or more`)
  }
  return {
    ...(token !== '' && { token }),
    ...(allow !== '' && { ranges: rangesOf(allow) }),
  }
}

function rangesOf(text: string): CidrList {
  try {
    const entries = listSetting(text)
    if (entries.length === 0) throw new Error('no address; name one, or omit the flag')
    return new CidrList(entries)
  } catch (error) {
    throw settingError('metrics-allow', text, (error as Error).message, error)
  }
}
