/** Why clients refuse a certificate that can be served, in the words of the table of faults. */

import type { X509Certificate } from 'node:crypto'
import { type ConnectionFaultId, explainFault, faultOf } from '../lib/connection-fault.ts'

/** Minimum bits of an RSA key that current clients accept. */
const MIN_RSA_BITS = 2_048

interface ServedCertificate {
  readonly certificate: X509Certificate
  /** Clients pin it, so it needs no authority. */
  readonly isPinned: boolean
}

/** One text for each fault. */
export function certificateFaults({ certificate, isPinned }: ServedCertificate, nowMs: number): string[] {
  const { validFromDate: from, validToDate: to, publicKey } = certificate
  const bits = publicKey.asymmetricKeyType === 'rsa' ? publicKey.asymmetricKeyDetails?.modulusLength : undefined
  const found: readonly (readonly [ConnectionFaultId, isSo: boolean, detail?: string])[] = [
    ['expired', nowMs > to.getTime(), `at ${to.toISOString()}`],
    ['not-yet-valid', nowMs < from.getTime(), `valid from ${from.toISOString()}`],
    ['weak-key', bits !== undefined && bits < MIN_RSA_BITS, `RSA of ${bits} bits`],
    ['self-signed', !isPinned && certificate.checkIssued(certificate) && certificate.verify(publicKey)],
  ]
  return found.filter(([, isSo]) => isSo).map(([id, , detail]) => explainFault(faultOf(id), detail))
}
