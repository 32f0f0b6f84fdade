/** Why a TLS connection was not made. */

import { type ConnectionFaultId, connectionFault } from '../../lib/connection-fault.ts'
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

const REASONS: Readonly<Partial<Record<ConnectionFaultId, TlsFailureReason>>> = {
  expired: 'expired',
  'not-yet-valid': 'not-yet-valid',
  'wrong-name': 'wrong-name',
  'no-name': 'wrong-name',
  'self-signed': 'untrusted',
  untrusted: 'untrusted',
  'weak-key': 'untrusted',
  'bad-chain': 'untrusted',
  revoked: 'untrusted',
}

/** The reason for an error of the platform's TLS; undefined for one that is not TLS's, such as a lost connection. */
export function tlsFailureReason(error: unknown): TlsFailureReason | undefined {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined
  if (typeof code !== 'string') return undefined
  const fault = connectionFault(error)
  const reason = fault && REASONS[fault.id]
  if (reason !== undefined) return reason
  return code.startsWith('ERR_SSL_') || code.startsWith('ERR_TLS_') || code === 'EPROTO' ? 'handshake' : undefined
}
