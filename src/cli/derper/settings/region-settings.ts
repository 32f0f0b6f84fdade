/** Settings of a region over NATS, from the flags. */

import type { DaemonSettings, RegionSettings } from '../../../daemon/settings.ts'
import { hostInUrl } from '../../../derpmap/endpoint.ts'
import type { FlagValues } from '../../go-flags.ts'
import type { REGION_FLAGS } from '../flags/region.ts'
import type { SERVING_FLAGS } from '../flags/serving.ts'
import { assertCertificate, assertPrivateKey } from './pem.ts'
import { listSetting, readSettingFile, settingError, settingsError } from './setting.ts'

type Flags = FlagValues<typeof REGION_FLAGS> & Pick<FlagValues<typeof SERVING_FLAGS>, 'dev' | 'derp'>

/** The name becomes a part of NATS subjects. */
const REGION_NAME = /^[^\s.*>\p{Cc}]{1,64}$/u
const NATS_PROTOCOLS: ReadonlySet<string> = new Set(['nats:', 'tls:'])

/** Undefined without `-region`. Rejects with a DerpError naming flag, value (passwords hidden), reason and remedy. */
export async function regionSettings(
  flags: Flags,
  { mesh, tls, workers }: Pick<DaemonSettings, 'mesh' | 'tls' | 'workers'>,
  host: string | undefined,
): Promise<RegionSettings | undefined> {
  const { region: name } = flags
  if (name === '') return undefined
  if (!REGION_NAME.test(name))
    throw settingError(
      'region',
      name,
      'a name has up to 64 characters, without ".", "*", ">" and blanks; choose another',
    )
  if (!flags.derp) throw settingError('region', name, '-derp=false, so there are no clients; set only one of them')
  if (flags.nats === '') throw settingError('region', name, 'needs NATS servers; set -nats')
  if (mesh.key === undefined) throw settingError('region', name, 'needs a mesh key; set -mesh-psk-file')
  if (workers > 1) {
    const reason = 'a relay of a region serves clients on one thread; use -workers 1, and further relays for more cores'
    throw settingError('workers', workers, reason)
  }
  return {
    name,
    servers: serverUrls(flags),
    credentialsFile: await checkedFile(flags, 'nats-creds', assertCredentials),
    tls: await tlsFiles(flags),
    url: checkedUrl(flags),
    host: tls === undefined ? devHost(flags, host) : hostInUrl(tls.hostname),
  }
}

function serverUrls(flags: Flags): readonly string[] {
  const servers = listSetting(flags.nats)
  const urls = servers.map((text, at) => {
    const url = URL.parse(text)
    // Left out, as it may hold a password.
    if (url === null || !NATS_PROTOCOLS.has(url.protocol) || url.host === '' || /[^/]/.test(url.pathname))
      throw settingsError(`set flag -nats: server ${at + 1} is not a URL of a NATS server; write nats://HOST:PORT`)
    return url
  })
  if (urls.length === 0) throw settingsError('set flag -nats: names no server; write nats://HOST:PORT')
  const accounts = new Set(urls.filter(({ username }) => username !== '').map(url => `${url.username}:${url.password}`))
  if (accounts.size > 1) throw settingsError('set flag -nats: servers have different users; use one for all')
  if (accounts.size > 0 && flags['nats-creds'] !== '')
    throw settingError('nats-creds', flags['nats-creds'], '-nats has a user as well; set only one of them')
  return servers
}

async function tlsFiles(flags: Flags): Promise<RegionSettings['tls']> {
  const caFile = await checkedFile(flags, 'nats-tls-ca', assertCertificate)
  const certFile = await checkedFile(flags, 'nats-tls-cert', assertCertificate)
  const keyFile = await checkedFile(flags, 'nats-tls-key', assertPrivateKey)
  if (certFile !== undefined && keyFile === undefined)
    throw settingError('nats-tls-cert', certFile, 'needs its private key; set -nats-tls-key')
  if (keyFile !== undefined && certFile === undefined)
    throw settingError('nats-tls-key', keyFile, 'needs its certificate; set -nats-tls-cert')
  if (caFile === undefined && certFile === undefined) return undefined
  return {
    ...(caFile !== undefined && { caFile }),
    ...(certFile !== undefined && { certFile }),
    ...(keyFile !== undefined && { keyFile }),
  }
}

function checkedUrl({ 'region-url': text, dev }: Flags): string | undefined {
  if (text === '') return undefined
  const url = URL.parse(text)
  const isAllowed = url?.protocol === 'https:' || (dev && url?.protocol === 'http:')
  if (url === null || !isAllowed || `${url.username}${url.search}${url.hash}` !== '') {
    const kinds = dev ? 'http or https' : 'https'
    throw settingError('region-url', text, `not an ${kinds} URL; write https://HOST:PORT/derp`)
  }
  return url.href
}

/** The host at which other relays reach this one over plain HTTP. */
function devHost({ dev, 'region-url': url, region }: Flags, host: string | undefined): string {
  if (url === '' && !dev)
    throw settingError(
      'region',
      region,
      'this relay serves plain HTTP, so the others do not know where to reach it; set -region-url',
    )
  return hostInUrl(host ?? '127.0.0.1')
}

async function checkedFile(
  flags: Flags,
  flag: 'nats-creds' | 'nats-tls-ca' | 'nats-tls-cert' | 'nats-tls-key',
  check: (text: string) => void,
): Promise<string | undefined> {
  const path = flags[flag]
  if (path === '') return undefined
  await readSettingFile(flag, path, check)
  return path
}

function assertCredentials(text: string): void {
  if (!/-BEGIN NATS USER JWT-/.test(text) || !/-BEGIN USER NKEY SEED-/.test(text))
    throw new Error('no user JWT with its seed found; create the file with "nsc generate creds"')
}
