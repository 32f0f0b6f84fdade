/** Whether TLS is served, and where certificates come from, from the flags. */

import type { SERVING_FLAGS } from '../flags/serving.ts'
import type { TLS_FLAGS } from '../flags/tls.ts'
import type { FlagValues } from '../go-flags.ts'
import type { ListenAddress } from '../listen-address.ts'
import { badSetting, badSettings, portSetting } from './setting.ts'

/** Certificates from a directory. */
export interface TlsSettings {
  readonly hostname: string
  readonly directory: string
  /** Port for plain HTTP beside TLS; undefined for none. */
  readonly httpPort: number | undefined
}

type Flags = FlagValues<typeof TLS_FLAGS> & Pick<FlagValues<typeof SERVING_FLAGS>, 'http-port'>

/** Undefined to serve plain HTTP. @throws DerpError naming flag, value and reason. */
export function tlsSettings(flags: Flags, address: ListenAddress): TlsSettings | undefined {
  const { certmode, certdir, hostname } = flags
  if (certmode !== 'letsencrypt' && certmode !== 'manual') throw badSetting('certmode', certmode, 'not "manual"')
  if (certmode === 'letsencrypt') {
    if (address.port !== 443) return undefined
    throw badSettings('serve TLS on port 443: needs -certmode manual, or another port in -a for plain HTTP')
  }
  if (hostname === '') throw badSettings('serve TLS: -hostname is not given; name what clients connect to')
  if (certdir === '') throw badSettings('serve TLS: -certdir is not given; name the directory of certificates')
  const httpPort = flags['http-port'] === -1 ? undefined : portSetting('http-port', flags['http-port'])
  return { hostname, directory: certdir, httpPort }
}
