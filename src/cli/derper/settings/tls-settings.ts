/** TLS settings, from the flags. */

import { isIP } from 'node:net'
import { networkInterfaces } from 'node:os'
import { isAbsolute, join } from 'node:path'
import type { ListenAddress } from '../../../daemon/listen-address.ts'
import type { TlsSettings } from '../../../daemon/settings.ts'
import { type AcmeMode, type AcmeSettings, assertAcmeSettings } from '../../../tls/acme/acme-settings.ts'
import { publicAddresses } from '../../../tls/acme/own-addresses.ts'
import type { FlagValues } from '../../go-flags.ts'
import type { SERVING_FLAGS } from '../flags/serving.ts'
import type { TLS_FLAGS } from '../flags/tls.ts'
import { assertCertificate } from './pem.ts'
import { listSetting, portSetting, readSettingFile, settingError, settingsError } from './setting.ts'

type TlsFlags = FlagValues<typeof TLS_FLAGS>
type Flags = TlsFlags & Pick<FlagValues<typeof SERVING_FLAGS>, 'http-port'>

const HTTPS_PORT = 443
const HOST_NAME = /^[\w-]+(?:\.[\w-]+)*\.?$/
const MODES: readonly string[] = ['manual', 'letsencrypt', 'gcp'] satisfies readonly (AcmeMode | 'manual')[]

/** Undefined to serve plain HTTP. Rejects with a DerpError naming flag, value and reason. */
export async function tlsSettings(
  flags: Flags,
  address: ListenAddress,
  env: NodeJS.ProcessEnv,
): Promise<TlsSettings | undefined> {
  const { certmode, hostname } = flags
  if (!MODES.includes(certmode)) throw settingError('certmode', certmode, `not one of ${MODES.join(', ')}`)
  if (address.port !== HTTPS_PORT && certmode !== 'manual' && !flags.tls) return undefined
  if (hostname === '') {
    throw settingsError(
      'serve TLS: -hostname is not set; set the name that clients connect to, or serve plain HTTP on another port with -a',
    )
  }
  if (isIP(hostname) === 0 && !HOST_NAME.test(hostname)) {
    throw settingError('hostname', hostname, `not a host name or IP address${meantHost(hostname)}`)
  }
  const directory = flags.certdir || defaultCertDir(env)
  if (directory === '') {
    throw settingsError(
      'serve TLS: -certdir is not set, and without HOME it has no default; name a directory for certificates, such as /var/lib/derper/certs',
    )
  }
  const httpPort = flags['http-port'] === -1 ? undefined : portSetting('http-port', flags['http-port'])
  const common = { hostname, directory, httpPort }
  if (certmode === 'manual') return { ...common, acme: undefined }
  const acme = await acmeSettings({ ...common, flags, mode: certmode as AcmeMode, host: address.host, env })
  assertAcmeSettings(acme)
  return { ...common, acme }
}

/** Flags of a relay over TLS that were given in unused. */
export function tlsNotes(given: ReadonlySet<string>, tls: TlsSettings | undefined): string[] {
  const named = [...given].toSorted()
  const acme = named.filter(name => name.startsWith('acme-'))
  if (tls?.acme !== undefined) return []
  if (tls !== undefined) return acme.map(name => `-${name} has no effect: -certmode is manual`)
  const unused = named.filter(name => OF_TLS.has(name) || acme.includes(name)).map(name => `-${name}`)
  if (unused.length === 0) return []
  const reason = 'plain HTTP is served, as -a is not on port 443; for TLS set -tls, or -certmode manual'
  return [`${unused.join(', ')} ${unused.length === 1 ? 'has' : 'have'} no effect: ${reason}`]
}

/** Besides ACME flags. */
const OF_TLS: ReadonlySet<string> = new Set(['certdir', 'certmode', 'hostname', 'tls-record-bytes'])

/** The host of a URL or address with port that was given in place of it. */
function meantHost(text: string): string {
  const host = URL.parse(text.includes('://') ? text : `https://${text}`)?.hostname ?? ''
  return host !== text && HOST_NAME.test(host) ? `; did you mean ${host}?` : ''
}

/** The original's default; empty if the environment does not define it. */
function defaultCertDir({ XDG_CACHE_HOME: cache = '', HOME: home = '' }: NodeJS.ProcessEnv): string {
  const folder = cache !== '' ? cache : home === '' ? '' : join(home, '.cache')
  return isAbsolute(folder) ? join(folder, 'tailscale', 'derper-certs') : ''
}

interface AcmeSources extends Pick<TlsSettings, 'hostname' | 'directory' | 'httpPort'> {
  readonly flags: TlsFlags
  readonly mode: AcmeMode
  readonly host: string | undefined
  readonly env: NodeJS.ProcessEnv
}

async function acmeSettings(sources: AcmeSources): Promise<AcmeSettings> {
  const { flags, mode, hostname, directory, httpPort, host, env } = sources
  const named = listSetting(flags['acme-ips'])
  const caFile = flags['acme-ca-file']
  return {
    mode,
    directory,
    hostname,
    ipCerts: flags['acme-ip-certs'],
    ipAddresses: named.length > 0 ? named : publicAddresses(networkInterfaces(), host),
    email: flags['acme-email'],
    eabKeyId: flags['acme-eab-kid'],
    eabKey: flags['acme-eab-key'],
    directoryUrl: flags['acme-directory'],
    directoryCa: caFile === '' ? undefined : await readSettingFile('acme-ca-file', caFile, readCa),
    profile: flags['acme-profile'] || undefined,
    // Without a plain HTTP listener, HTTP-01 challenges would fail.
    challengeTypes: httpPort === undefined ? ['tls-alpn-01'] : undefined,
    proxyEnv: env,
  }
}

function readCa(text: string): string {
  assertCertificate(text)
  return text
}
