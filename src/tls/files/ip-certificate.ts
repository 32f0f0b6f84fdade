/** A self-signed certificate for an IP address (P-145). */

import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import type { Clock } from '../../lib/clock.ts'
import { writeWhole } from '../whole-file.ts'
import { type CertificatePair, createSelfSigned } from '../x509.ts'

/** Paths of a certificate and its key. */
export interface CertificatePaths {
  readonly certificate: string
  readonly key: string
}

/** Creates and stores a certificate for the address, valid for one year. */
export async function createIpCertificate(ip: string, paths: CertificatePaths, clock: Clock): Promise<CertificatePair> {
  const notBefore = new Date(clock.wallNow())
  const notAfter = new Date(notBefore)
  notAfter.setUTCFullYear(notAfter.getUTCFullYear() + 1)
  const pair = await createSelfSigned({
    commonName: ip,
    keyType: 'P-256',
    serialHex: randomBytes(16).toString('hex'),
    notBefore,
    notAfter,
    serverIp: ip,
  })
  // The certificate is written last: if it exists, so does its key.
  await writeWhole(paths.key, pair.key, 0o600)
  try {
    await writeWhole(paths.certificate, pair.certificate, 0o644)
  } catch (error) {
    // A key alone would keep the next start from making a pair.
    await rm(paths.key, { force: true }).catch(() => {})
    throw error
  }
  return pair
}
