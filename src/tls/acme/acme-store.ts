/**
 * ACME files in the certificate folder (P-149): names and formats are the original's, so that either daemon can continue
 * with the other's. Only the attempt state is ours.
 */

import { join } from 'node:path'
import { isIpHostname } from '../files/manual-certs.ts'
import { readIfPresent, writeWhole } from '../whole-file.ts'
import type { CertificatePair } from '../x509.ts'

/** Files of one certificate. */
export interface AcmePaths {
  readonly accountKey: string
  readonly certificate: string
  /** For a DNS name the same file as the certificate, with the key first. */
  readonly key: string
  readonly record: string
}

/** The files for a DNS name, or for IP addresses starting with `subject`. */
export function acmePaths(directory: string, subject: string): AcmePaths {
  const isIp = isIpHostname(subject)
  const name = subject.replaceAll(':', '.').replaceAll(/[^a-zA-Z0-9.-]/g, '')
  const at = (file: string) => join(directory, file)
  return {
    accountKey: at(isIp ? 'acme-account.key' : 'acme_account+key'),
    certificate: at(isIp ? `${name}.crt` : name),
    key: at(isIp ? `${name}.key` : name),
    record: at(`${name}.acme.json`),
  }
}

/** The account key; created if missing. */
export async function loadAccountKey(paths: AcmePaths, create: () => string): Promise<string> {
  const present = await readIfPresent(paths.accountKey)
  if (present !== undefined) return present
  const key = create()
  await writeWhole(paths.accountKey, key, 0o600)
  return key
}

/** The stored certificate and key; undefined if either is missing. */
export async function loadAcmeCertificate(paths: AcmePaths): Promise<CertificatePair | undefined> {
  const certificate = await readIfPresent(paths.certificate)
  const key = paths.key === paths.certificate ? certificate : await readIfPresent(paths.key)
  if (certificate === undefined || key === undefined) return undefined
  return { certificate: blocksOf(certificate, /CERTIFICATE/), key: blocksOf(key, /PRIVATE KEY/) }
}

/** Stores a certificate and its key, the key first. */
export async function saveAcmeCertificate(paths: AcmePaths, { certificate, key }: CertificatePair): Promise<void> {
  if (paths.key === paths.certificate) {
    await writeWhole(paths.certificate, `${key.trimEnd()}\n${certificate}`, 0o600)
    return
  }
  await writeWhole(paths.key, key, 0o600)
  await writeWhole(paths.certificate, certificate, 0o600)
}

/** The PEM blocks of one kind, in order. */
function blocksOf(pem: string, kind: RegExp): string {
  const blocks = pem.match(/-----BEGIN ([^-]+)-----[^-]+-----END \1-----/g) ?? []
  return blocks
    .filter(block => kind.test(block.slice(0, block.indexOf('\n'))))
    .map(block => `${block}\n`)
    .join('')
}
