/** Relay options, from the flags. */

import type { RelaySettings } from '../../../daemon/settings.ts'
import { HOME_KINDS, homePage } from '../../../http/pages/home.ts'
import { usableMemoryBytes } from '../../../lib/node-memory.ts'
import { parseRateConfig, type RateLimit } from '../../../server/reading/rate-limit.ts'
import type { DerperFlagValues } from '../derper-flags.ts'
import { loginTimeoutSetting } from './listen-settings.ts'
import { proxySettings } from './proxy-settings.ts'
import { durationSetting, intSetting, readSettingFile, settingError } from './setting.ts'

const MAX_CLIENTS = 1 << 24
/** Queues may take this fraction of the memory: 1 / n. */
const MEMORY_PARTS = 8
/** Lower rates would delay every client for seconds; more than a terabyte per second is a typo. */
const TOTAL_RATE_BOUNDS = [65_536, 2 ** 40] as const

/** Rejects with a DerpError naming flag, value and reason. */
export async function relaySettings(flags: DerperFlagValues): Promise<RelaySettings> {
  return {
    derp: flags.derp,
    home: homeSetting(flags.home),
    loginTimeoutMs: loginTimeoutSetting(flags),
    maxClients: intSetting(flags, 'max-clients', [0, MAX_CLIENTS]),
    maxQueuedBytes: queuedBytesSetting(flags),
    pingClientsMs: durationSetting('ping-clients', flags['ping-clients']),
    rateLimit: await rateLimitSetting(flags),
    tellHealth: flags['health-frames'],
    totalRate: totalRateSetting(flags),
    trustedProxies: proxySettings(flags).trustedProxies,
    writeTimeoutMs: durationSetting('tcp-write-timeout', flags['tcp-write-timeout']),
  }
}

/** Bytes queued for all slow readers, of all workers together. @throws DerpError naming flag, value and bound. */
function queuedBytesSetting(flags: Pick<DerperFlagValues, 'max-queued-bytes'>): number {
  const bytes = intSetting(flags, 'max-queued-bytes', [0, Number.MAX_SAFE_INTEGER])
  return bytes === 0 ? Math.floor(usableMemoryBytes() / MEMORY_PARTS) : bytes
}

/** Bytes per second from all clients together; 0 for no limit. @throws DerpError naming flag, value and bound. */
export function totalRateSetting(flags: Pick<DerperFlagValues, 'total-rate'>): number {
  return flags['total-rate'] === 0 ? 0 : intSetting(flags, 'total-rate', TOTAL_RATE_BOUNDS)
}

/** Send limit per client, from the file of `-rate-config`; undefined for none. Rejects with a DerpError naming the file. */
export async function rateLimitSetting({
  'rate-config': path,
}: Pick<DerperFlagValues, 'rate-config'>): Promise<RateLimit | undefined> {
  return path === '' ? undefined : readSettingFile('rate-config', path, parseRateConfig)
}

/** @throws DerpError naming flag, value and reason. */
function homeSetting(text: string): string {
  try {
    homePage(text)
  } catch (error) {
    throw settingError('home', text, HOME_KINDS, error)
  }
  return text
}
