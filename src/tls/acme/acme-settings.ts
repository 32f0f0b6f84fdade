/** ACME settings and their checks (P-147 to P-149). */

import { isIP } from 'node:net'
import { DerpError } from '../../lib/derp-error.ts'
import type { AcmeAccount, AcmeChallengeType } from './acme.ts'

/** Values of `-certmode` that use ACME. */
export type AcmeMode = 'letsencrypt' | 'gcp'

/** The directory of each mode. */
export const ACME_DIRECTORIES: Readonly<Record<AcmeMode, string>> = Object.freeze({
  letsencrypt: 'https://acme-v02.api.letsencrypt.org/directory',
  gcp: 'https://dv.acme-v02.api.pki.goog/directory',
})

/** The only profile for IP address certificates; they are valid some six days. */
export const IP_PROFILE = 'shortlived'

export interface AcmeSettings {
  readonly mode: AcmeMode
  /** `-certdir` */
  readonly directory: string
  /** `-hostname`: a DNS name, or with {@link ipCerts} an IP address. */
  readonly hostname: string
  /** `-acme-ip-certs` */
  readonly ipCerts: boolean
  /** `-acme-ips`: addresses of the relay, besides the host name if that is one; only used with {@link ipCerts}. */
  readonly ipAddresses: readonly string[]
  /** `-acme-email` */
  readonly email?: string | undefined
  /** `-acme-eab-kid` */
  readonly eabKeyId?: string | undefined
  /** `-acme-eab-key`: base64, of either alphabet. */
  readonly eabKey?: string | undefined
  /** `-acme-directory`; default by mode. */
  readonly directoryUrl?: string | undefined
  /** PEM of CA certificates to trust for the directory itself. */
  readonly directoryCa?: string | undefined
  /** `-acme-profile`, for DNS names. */
  readonly profile?: string | undefined
  /** Usable challenge types. Default: all. */
  readonly challengeTypes?: readonly AcmeChallengeType[] | undefined
  /** Environment variables for proxies. */
  readonly proxyEnv?: NodeJS.ProcessEnv | undefined
}

/** @throws DerpError naming the missing or conflicting flag, and the fix. */
export function assertAcmeSettings(settings: AcmeSettings): void {
  const { mode, directory, hostname, ipCerts, ipAddresses } = settings
  if (directory === '') throw invalid('-certdir is not given', 'name a directory for certificates')
  if (hostname === '') throw invalid('-hostname is not given', 'name what clients connect to')
  if (ipCerts && mode !== 'letsencrypt') throw invalid('-acme-ip-certs', 'needs -certmode letsencrypt')
  if (isIP(hostname) !== 0 && !ipCerts) {
    const fix = 'use -certmode manual for a self-signed certificate, or set -acme-ip-certs'
    throw invalid(`-hostname ${hostname} is an IP address`, fix)
  }
  for (const address of ipAddresses) {
    if (isIP(address) === 0) throw invalid(`-acme-ips has "${address}"`, 'write comma-separated IP addresses')
  }
  assertBinding(settings)
  assertDirectoryUrl(settings.directoryUrl ?? '')
}

/** The ACME account, without its key. */
export function acmeAccount(settings: AcmeSettings): Omit<AcmeAccount, 'key'> {
  const { mode, email, eabKeyId: keyId, eabKey: hmacKey, directoryUrl, directoryCa, proxyEnv } = settings
  return {
    directoryUrl: directoryUrl || ACME_DIRECTORIES[mode],
    email: email || undefined,
    binding: keyId && hmacKey ? { keyId, hmacKey } : undefined,
    directoryCa,
    proxyEnv,
  }
}

function assertBinding({ mode, email = '', eabKeyId = '', eabKey = '' }: AcmeSettings): void {
  if ((eabKeyId === '') !== (eabKey === '')) {
    throw invalid('only one of -acme-eab-kid and -acme-eab-key is given', 'give both or none')
  }
  // The value is secret and not shown.
  if (eabKey !== '' && !isBase64(eabKey)) throw invalid('-acme-eab-key is not base64', 'copy it again')
  if (mode !== 'gcp') return
  if (eabKey === '') throw invalid('-certmode gcp', 'needs -acme-eab-kid and -acme-eab-key')
  if (email === '') throw invalid('-certmode gcp', 'needs -acme-email')
}

function assertDirectoryUrl(text: string): void {
  if (text === '') return
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:') {
    throw invalid(`-acme-directory "${text}" is not an http or https URL`, 'set the URL of the authority’s directory')
  }
}

/** With or without padding, in either alphabet. */
function isBase64(text: string): boolean {
  return /^(?:[\w-]+|[\w+/-]+={0,2})$/.test(text) && text.replace(/=+$/, '').length % 4 !== 1
}

function invalid(what: string, fix: string): DerpError {
  return new DerpError('ERR_DERP_CONFIG_INVALID', `get certificates: ${what}; ${fix}`)
}
