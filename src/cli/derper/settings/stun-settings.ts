/** The STUN server, from the flags. */

import type { StunSettings } from '../../../daemon/settings.ts'
import type { SourceLimit } from '../../../lib/rate/source-limiter.ts'
import type { FlagValues } from '../../go-flags.ts'
import type { STUN_FLAGS } from '../flags/stun.ts'
import { portSetting, settingError } from './setting.ts'

/**
 * @param host address to bind.
 * @param reusePort whether processes may share the port.
 * @returns undefined for no STUN. @throws DerpError naming flag, value and reason.
 */
export function stunSettings(
  flags: FlagValues<typeof STUN_FLAGS>,
  host: string | undefined,
  reusePort: boolean,
): StunSettings | undefined {
  if (!flags.stun) return undefined
  return {
    host,
    port: portSetting('stun-port', flags['stun-port'], '-stun=false'),
    reusePort,
    plain: flags['stun-plain'],
    sourceLimit: sourceLimit(flags['stun-rate-limit'], flags['stun-rate-burst']),
  }
}

function sourceLimit(perSecond: number, burst: number): SourceLimit | undefined {
  if (!Number.isFinite(perSecond) || perSecond < 0) {
    throw settingError('stun-rate-limit', perSecond, 'not a number of replies per second; 0 is for no limit')
  }
  if (burst < 1) throw settingError('stun-rate-burst', burst, 'below 1, which would drop every request')
  return perSecond === 0 ? undefined : { perSecond, burst }
}
