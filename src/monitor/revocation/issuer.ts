/** Finds the certificate that a certificate was issued by. */

import { X509Certificate } from 'node:crypto'
import type { PeerCertificate } from '../../client/ports.ts'

const PEM = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g

/** Looks at what was sent along first, then at the trusted CAs. Undefined if none of them signed it. */
export function findIssuer(
  leaf: PeerCertificate,
  chain: readonly PeerCertificate[],
  authorities: readonly string[],
): X509Certificate | undefined {
  const certificate = new X509Certificate(leaf.raw)
  const isIssuer = (other: X509Certificate) =>
    other.subject === certificate.issuer && certificate.checkIssued(other) && certificate.verify(other.publicKey)
  for (const { raw } of chain.slice(1)) {
    const other = new X509Certificate(raw)
    if (isIssuer(other)) return other
  }
  for (const pem of authorities.flatMap(text => text.match(PEM) ?? [])) {
    const other = new X509Certificate(pem)
    if (isIssuer(other)) return other
  }
  return undefined
}
