/** Why a TLS connection was not made. */

import { DerpError } from '../../lib/derp-error.ts'

export type TlsFailureReason =
  /** The certificate is signed by nobody that is trusted. */
  | 'untrusted'
  | 'expired'
  | 'not-yet-valid'
  /** The certificate is valid for other names. */
  | 'wrong-name'
  /** The certificate is not the one that was pinned. */
  | 'wrong-pin'
  /** Other certificates came along with the pinned one. */
  | 'several-certificates'
  | 'no-certificate'
  /** The other side does not speak TLS, refuses the server name, or has no version or cipher in common with us. */
  | 'handshake'

/** TLS was spoken, or should have been, and one side did not like it. */
export class TlsFailedError extends DerpError {
  readonly reason: TlsFailureReason

  /** @param explanation goes behind what was being done. */
  constructor(reason: TlsFailureReason, peer: string, explanation: string, cause?: unknown) {
    super('ERR_DERP_TLS_FAILED', `secure connection to ${peer}: ${explanation}`, { clause: 'P-144', cause })
    this.reason = reason
  }
}

const REASONS: Readonly<Record<string, TlsFailureReason>> = {
  CERT_HAS_EXPIRED: 'expired',
  CERT_NOT_YET_VALID: 'not-yet-valid',
  ERR_TLS_CERT_ALTNAME_INVALID: 'wrong-name',
  HOSTNAME_MISMATCH: 'wrong-name',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'untrusted',
  SELF_SIGNED_CERT_IN_CHAIN: 'untrusted',
  UNABLE_TO_GET_ISSUER_CERT: 'untrusted',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'untrusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'untrusted',
  CERT_UNTRUSTED: 'untrusted',
  CERT_REJECTED: 'untrusted',
  CERT_REVOKED: 'untrusted',
  CERT_SIGNATURE_FAILURE: 'untrusted',
  CERT_CHAIN_TOO_LONG: 'untrusted',
  INVALID_CA: 'untrusted',
  INVALID_PURPOSE: 'untrusted',
  PATH_LENGTH_EXCEEDED: 'untrusted',
}

/** The reason for an error of the platform's TLS; undefined for one that is not TLS's, such as a lost connection. */
export function tlsFailureReason(error: unknown): TlsFailureReason | undefined {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined
  if (typeof code !== 'string') return undefined
  const known = REASONS[code]
  if (known !== undefined) return known
  return code.startsWith('ERR_SSL_') || code.startsWith('ERR_TLS_') || code === 'EPROTO' ? 'handshake' : undefined
}
