/** What the certificate folder has for a host name, in words, before anything runs. */

import { summarizeCertificate } from '../certificate-source.ts'
import { assertCovers } from './acme-attempt.ts'
import type { AcmeSettings } from './acme-settings.ts'
import { acmePaths, loadAcmeCertificate } from './acme-store.ts'
import { servedName } from './served-name.ts'

/** Never rejects: what cannot be used is replaced. */
export async function storedCertificate({ directory, hostname }: AcmeSettings, nowMs: number): Promise<string> {
  const name = servedName(hostname)
  const paths = acmePaths(directory, name)
  try {
    const pair = await loadAcmeCertificate(paths)
    if (pair === undefined || pair.certificate === '') return `none for ${name} yet; one will be ordered`
    assertCovers(pair, [name])
    const { notAfterMs } = summarizeCertificate(pair.certificate)
    const until = new Date(notAfterMs).toISOString()
    if (notAfterMs <= nowMs) return `the one for ${name} expired at ${until}; another will be ordered`
    return `one for ${name}, valid until ${until}`
  } catch (error) {
    return `${paths.certificate} cannot be used: ${(error as Error).message}; another will be ordered`
  }
}
