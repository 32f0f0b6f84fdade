/** An authority gave no certificate. */

import { DerpError } from '../../lib/derp-error.ts'

export interface AcmeErrorDetails {
  /** Identifiers of which the authority could not make sure; empty when it was something else. */
  readonly rejected?: readonly string[]
  /** Milliseconds for which the authority wants to be left alone. */
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
