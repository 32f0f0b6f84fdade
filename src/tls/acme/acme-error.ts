/** An authority issued no certificate. */

import { DerpError } from '../../lib/derp-error.ts'

export interface AcmeErrorDetails {
  /** Identifiers that the authority could not validate; empty for other failures. */
  readonly rejected?: readonly string[]
  /** Milliseconds for which the authority asked not to be contacted. */
  readonly retryAfterMs?: number | undefined
  readonly cause?: unknown
}

export class AcmeError extends DerpError {
  readonly rejected: readonly string[]
  readonly retryAfterMs: number | undefined

  constructor(message: string, details: AcmeErrorDetails = {}) {
    super('ERR_DERP_CERTIFICATE_FAILED', message, { cause: details.cause })
    this.rejected = details.rejected ?? []
    this.retryAfterMs = details.retryAfterMs
  }
}
