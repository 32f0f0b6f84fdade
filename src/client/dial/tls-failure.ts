/** Why a TLS connection failed. */

import { type ConnectionFaultId, connectionFault } from '../../lib/connection-fault.ts'
import { DerpError } from '../../lib/derp-error.ts'

/** Why a TLS handshake or a certificate check failed. */
export type TlsFailureReason =
  /** No trusted authority signed the certificate. */
  | 'untrusted'
  /** The certificate is not valid any more. */
  | 'expired'
  /** The certificate is not valid yet; the clock here may be wrong. */
  | 'not-yet-valid'
  /** The certificate is valid for other names. */
  | 'wrong-name'
  /** The certificate is not the one that was pinned. */
  | 'wrong-pin'
  /** Other certificates were sent along with the pinned one. */
  | 'several-certificates'
  /** The peer sent none. */
  | 'no-certificate'
  /** The peer does not speak TLS, rejects the server name, or has no common version or cipher. */
  | 'handshake'

/**
 * A TLS handshake or certificate check failed.
 *
 * @example
 * ```ts
 * await new Client(privateKey, url).connect().catch(error => {
 *   if (error instanceof TlsFailedError) console.log(error.reason) // such as expired
 * })
 * ```
 */
export class TlsFailedError extends DerpError {
  /** What failed. */
  readonly reason: TlsFailureReason

  /** @param explanation appended to the action. @internal */
  constructor(reason: TlsFailureReason, peer: string, explanation: string, cause?: unknown) {
    super('ERR_DERP_TLS_FAILED', `secure connection to ${peer}: ${explanation}`, { clause: 'P-144', cause })
    this.reason = reason
  }
}

const REASONS: Readonly<Partial<Record<ConnectionFaultId, TlsFailureReason>>> = {
  expired: 'expired',
  'not-yet-valid': 'not-yet-valid',
  'wrong-name': 'wrong-name',
  'no-name': 'wrong-name',
  'self-signed': 'untrusted',
  untrusted: 'untrusted',
  unverified: 'untrusted',
  'weak-key': 'untrusted',
  'bad-chain': 'untrusted',
  revoked: 'untrusted',
}

/** The reason for a TLS error of the platform; undefined for other errors, such as a lost connection. */
export function tlsFailureReason(error: unknown): TlsFailureReason | undefined {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined
  if (typeof code !== 'string') return undefined
  const fault = connectionFault(error)
  const reason = fault && REASONS[fault.id]
  if (reason !== undefined) return reason
  return code.startsWith('ERR_SSL_') || code.startsWith('ERR_TLS_') || code === 'EPROTO' ? 'handshake' : undefined
}
