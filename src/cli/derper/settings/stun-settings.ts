/** The STUN server, from the flags. */

import { isIP } from 'node:net'
import type { StunSettings } from '../../../daemon/settings.ts'
import type { SourceLimit } from '../../../lib/rate/source-limiter.ts'
import type { FlagValues } from '../../go-flags.ts'
import type { STUN_FLAGS } from '../flags/stun.ts'
import { portSetting, settingError } from './setting.ts'

const LOOPBACK = /^(?:127\.|::1$|localhost$)/

/**
 * @param host address to bind unless -stun-ip names another.
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
    host: stunHost(flags['stun-ip'], host),
    port: portSetting('stun-port', flags['stun-port'], '-stun=false'),
    reusePort,
    plain: flags['stun-plain'],
    sourceLimit: sourceLimit(flags['stun-rate-limit'], flags['stun-rate-burst']),
  }
}

/** @throws DerpError for what is no IP address. */
function stunHost(text: string, host: string | undefined): string | undefined {
  if (text === '') return host
  if (isIP(text) === 0) throw settingError('stun-ip', text, 'not an IP address; the port is -stun-port')
  return text === '::' || text === '0.0.0.0' ? undefined : text
}

/** Clients learn their addresses and their latency from STUN, so a relay for others that serves it to itself is a mistake. */
export function stunNotes(stun: StunSettings | undefined): string[] {
  const { host = '' } = stun ?? {}
  if (!LOOPBACK.test(host)) return []
  return [
    `STUN is served on ${host}, for this machine only: set -stun-ip to an address that clients reach, such as :: for all, or -stun=false`,
  ]
}

function sourceLimit(perSecond: number, burst: number): SourceLimit | undefined {
  if (!Number.isFinite(perSecond) || perSecond < 0) {
    throw settingError('stun-rate-limit', perSecond, 'not a number of replies per second; 0 is for no limit')
  }
  if (burst < 1) throw settingError('stun-rate-burst', burst, 'below 1, which would drop every request')
  return perSecond === 0 ? undefined : { perSecond, burst }
}
