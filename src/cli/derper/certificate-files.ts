/** Certificates that lie in a folder, looked at before anything is started. */

import type { TlsSettings } from '../../daemon/settings.ts'
import { checkManualFiles } from '../../tls/files/manual-certs.ts'

/**
 * Whether they are there, and fit for use; false where one is to be made, undefined where none are taken from a folder.
 *
 * @throws DerpError with file, reason and what to do.
 */
export async function checkCertificateFiles(tls: TlsSettings | undefined): Promise<boolean | undefined> {
  if (tls === undefined || tls.acme !== undefined) return undefined
  return (await checkManualFiles(tls)) !== undefined
}
