/** Trusted proxies, from the flags. */

import type { ListenSettings } from '../../../daemon/settings.ts'
import { CidrList } from '../../../listen/cidr-list.ts'
import type { FlagValues } from '../../go-flags.ts'
import type { PROXY_FLAGS } from '../flags/proxies.ts'
import { listSetting, settingError, settingsError } from './setting.ts'

type ProxySettings = Pick<ListenSettings, 'trustedProxies' | 'proxyProtocol'>

/** @throws DerpError naming flag, value and reason. */
export function proxySettings(flags: FlagValues<typeof PROXY_FLAGS>): ProxySettings {
  const { 'trusted-proxies': text, 'proxy-protocol': proxyProtocol } = flags
  const trustedProxies = listSetting(text)
  try {
    new CidrList(trustedProxies)
  } catch (error) {
    throw settingError('trusted-proxies', text, (error as Error).message, error)
  }
  if (trustedProxies.length > 0) return { trustedProxies, proxyProtocol }
  if (proxyProtocol)
    throw settingsError(
      'set flag -proxy-protocol: needs -trusted-proxies, which names the proxies that send the headers',
    )
  return { trustedProxies: undefined, proxyProtocol }
}
