/** What the flags for proxies come to. */

import { CidrList } from '../../../listen/cidr-list.ts'
import type { DerperFlagValues } from '../derper-flags.ts'
import { badSetting, badSettings, listSetting } from './setting.ts'

export interface ProxySettings {
  /** Addresses and CIDR blocks; undefined for none. */
  readonly trustedProxies: readonly string[] | undefined
  /** Whether their connections begin with a PROXY header. */
  readonly proxyProtocol: boolean
}

/** Reads both flags. @throws DerpError naming the flag that is no good, its value and what is wrong with it. */
export function proxySettings(flags: DerperFlagValues): ProxySettings {
  const { 'trusted-proxies': text, 'proxy-protocol': proxyProtocol } = flags
  const trustedProxies = listSetting(text)
  try {
    new CidrList(trustedProxies)
  } catch (error) {
    throw badSetting('trusted-proxies', text, (error as Error).message, error)
  }
  if (trustedProxies.length > 0) return { trustedProxies, proxyProtocol }
  if (proxyProtocol) throw badSettings('set flag -proxy-protocol: name in -trusted-proxies who sends the headers')
  return { trustedProxies: undefined, proxyProtocol }
}
