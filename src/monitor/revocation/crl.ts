/** Reads a list of revoked certificates (RFC 5280, section 5). */

import type { X509Certificate } from 'node:crypto'
import type { PeerCertificate } from '../../client/ports.ts'
import { loadX509 } from '../../tls/x509.ts'
import type { Statement } from './statement.ts'

/** What the list says of `leaf`. @throws Error for what is no list, or not one of its issuer. */
export async function readCrl(
  body: Uint8Array<ArrayBuffer>,
  leaf: PeerCertificate,
  issuer: X509Certificate,
): Promise<Statement> {
  const x509 = await loadX509()
  const crl = new x509.X509Crl(body)
  const publicKey = new x509.X509Certificate(Uint8Array.from(issuer.raw))
  if (!(await crl.verify({ publicKey }))) throw new Error('the list is not signed by the issuer of the certificate')
  const entry = crl.findRevoked(new x509.X509Certificate(Uint8Array.from(leaf.raw)))
  const revoked =
    entry === null ? undefined : { atMs: entry.revocationDate.getTime(), reason: reasonName(entry.reason) }
  return { revoked, nextUpdateMs: crl.nextUpdate?.getTime() }
}

const REASONS: readonly string[] = [
  'no reason given',
  'key compromised',
  'authority compromised',
  'affiliation changed',
  'superseded',
  'no longer in use',
  'on hold',
]

/** A reason of RFC 5280, section 5.3.1, in words. */
export function reasonName(reason: number | undefined): string {
  return REASONS[reason ?? 0] ?? `reason ${reason}`
}
