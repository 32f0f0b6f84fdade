/** Inspects the peer's certificates (P-143, P-144). */

import { createHash, X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { CertificateRule } from '../../derpmap/endpoint.ts'
import { explainFault, faultOf } from '../../lib/connection-fault.ts'
import { DerpError } from '../../lib/derp-error.ts'
import { isMetaCertificate } from '../dial/meta-certificate.ts'
import { TlsFailedError } from '../dial/tls-failure.ts'

/**
 * All certificates sent by the server, in order.
 *
 * Call it once per connection: on older Node releases the second call only returns the leaf. They are not a verified
 * chain: `issuerCertificate` is the next one sent, not the issuer, so that a meta certificate is found too.
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

/** The result of a name check, in the form that `checkServerIdentity` returns. */
export function checkName(certificate: X509Certificate, name: string, peer: string): TlsFailedError | undefined {
  // Common names are ignored, as in the original.
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

/** A SHA-256 in lower-case hex, of what `derp map make` or `openssl x509 -fingerprint` prints; undefined for other text. */
export function parsePin(text: string): string | undefined {
  const hash = text
    .replace(/^sha256-raw:/, '')
    .replaceAll(':', '')
    .toLowerCase()
  return /^[0-9a-f]{64}$/.test(hash) ? hash : undefined
}

/** The option of a client. @throws DerpError unless {@link parsePin} reads it. */
export function resolvePin(text: string | undefined): string | undefined {
  const hash = text === undefined ? undefined : parsePin(text)
  if (hash !== undefined || text === undefined) return hash
  const message = `set client option pin to ${JSON.stringify(text)}: not a SHA-256 of 64 hex digits`
  throw new DerpError('ERR_DERP_CONFIG_INVALID', message)
}

/** The same for a DER certificate. */
export function checkNameOfRaw(raw: Uint8Array, name: string, peer: string): TlsFailedError | undefined {
  return checkName(new X509Certificate(raw), name, peer)
}

/**
 * Checks that the leaf is the pinned certificate, that it is currently valid, and that only a meta certificate came with
 * it. The handshake only proves the key of the leaf: a copy of the pinned certificate further down the chain proves
 * nothing.
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
  if (certificate === undefined) throw new TlsFailedError('no-certificate', peer, 'the server sent no certificate')
  const hash = createHash('sha256').update(certificate.raw).digest('hex')
  if (hash !== sha256) {
    throw new TlsFailedError(
      'wrong-pin',
      peer,
      `certificate has SHA-256 ${hash}, not the pinned ${sha256}; pin the new one if it was replaced on purpose`,
    )
  }
  const others = behind.filter(each => !isMetaCertificate(each)).length
  if (others > 0) {
    throw new TlsFailedError(
      'several-certificates',
      peer,
      `other certificates were sent with the pinned one: ${others}`,
    )
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
