/** Looks at the certificates of the other side (P-143, P-144). */

import { createHash, X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { CertificateRule } from '../../derpmap/endpoint.ts'
import { explainFault, faultOf } from '../../lib/connection-fault.ts'
import { isMetaCertificate } from '../dial/meta-certificate.ts'
import { TlsFailedError } from '../dial/tls-failure.ts'

/**
 * All certificates that the server has shown, in its order.
 *
 * To be called once per connection: on older releases of Node the second call finds the own one only. They form no
 * chain: `issuerCertificate` gives the next one shown, not its issuer, so that a meta certificate is found too.
 */
export function readCertificates(socket: TLSSocket): X509Certificate[] {
  const certificates: X509Certificate[] = []
  let next = socket.getPeerX509Certificate()
  while (next !== undefined) {
    certificates.push(next)
    next = next.issuerCertificate
  }
  return certificates
}

/** What a name's check says against a certificate, in the form that `checkServerIdentity` returns. */
export function checkName(certificate: X509Certificate, name: string, peer: string): TlsFailedError | undefined {
  // A common name is none, as in the original.
  const matched =
    isIP(name) === 0
      ? certificate.checkHost(name, { subject: 'never', partialWildcards: false })
      : certificate.checkIP(name)
  if (matched !== undefined) return undefined
  const { subjectAltName: names } = certificate
  const fault = faultOf(names === undefined ? 'no-name' : 'wrong-name')
  const detail = names === undefined ? `asked for ${name}` : `valid for ${names}, asked for ${name}`
  return new TlsFailedError('wrong-name', peer, explainFault(fault, detail))
}

/** The same for the bytes of a certificate. */
export function checkNameOfRaw(raw: Uint8Array, name: string, peer: string): TlsFailedError | undefined {
  return checkName(new X509Certificate(raw), name, peer)
}

/**
 * Checks that the server's own certificate is the pinned one, that it is good, and that only a meta certificate came
 * along. The handshake has proven the first certificate's key and no other: a copy of the pinned one further behind
 * proves nothing.
 *
 * @throws TlsFailedError
 */
export function assertPinned(
  certificates: readonly X509Certificate[],
  { sha256, name }: CertificateRule & { readonly kind: 'pin' },
  peer: string,
  wallNowMs: number,
): void {
  const [certificate, ...behind] = certificates
  if (certificate === undefined) throw new TlsFailedError('no-certificate', peer, 'no certificate was shown')
  const hash = createHash('sha256').update(certificate.raw).digest('hex')
  if (hash !== sha256) {
    throw new TlsFailedError('wrong-pin', peer, `certificate has the SHA-256 ${hash}, not the pinned ${sha256}`)
  }
  const others = behind.filter(each => !isMetaCertificate(each)).length
  if (others > 0) {
    throw new TlsFailedError('several-certificates', peer, `certificates came along with the pinned one: ${others}`)
  }
  const wrongName = checkName(certificate, name, peer)
  if (wrongName !== undefined) throw wrongName
  const { validFromDate, validToDate } = certificate
  if (wallNowMs > validToDate.getTime()) {
    throw new TlsFailedError('expired', peer, explainFault(faultOf('expired'), `at ${validToDate.toISOString()}`))
  }
  if (wallNowMs < validFromDate.getTime()) {
    const detail = `valid from ${validFromDate.toISOString()}`
    throw new TlsFailedError('not-yet-valid', peer, explainFault(faultOf('not-yet-valid'), detail))
  }
}
