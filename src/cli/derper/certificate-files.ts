/** Checks certificate files before startup. */

import type { TlsSettings } from '../../daemon/settings.ts'
import { systemClock } from '../../lib/clock.ts'
import { storedCertificate } from '../../tls/acme/stored-certificate.ts'
import { summarizeCertificate } from '../../tls/certificate-source.ts'
import { checkManualFiles } from '../../tls/files/manual-certs.ts'
import { assertCanStore } from './storable.ts'

/**
 * The result in words; undefined without TLS.
 *
 * @throws DerpError with file, reason and remedy, also for a folder that cannot store ACME certificates.
 */
export async function checkCertificateFiles(tls: TlsSettings | undefined): Promise<string | undefined> {
  if (tls === undefined) return undefined
  if (tls.acme !== undefined) {
    // Without it every start would order new certificates, which authorities limit to a few per week.
    await assertCanStore(
      tls.directory,
      `store certificates in ${tls.directory}`,
      'name a writable directory with -certdir',
    )
    return storedCertificate(tls.acme, systemClock.wallNow())
  }
  const found = await checkManualFiles(tls)
  if (found === undefined) return 'none yet; one will be generated'
  if (found.faults.length > 0) return `clients will reject them: ${found.faults.join('; ')}`
  return `valid until ${new Date(summarizeCertificate(found.certificate).notAfterMs).toISOString()}`
}
