/** An authority issued no certificate. */

import { DerpError } from '../../lib/derp-error.ts'
import { oneLine } from '../../lib/one-line.ts'

/** Authorities may answer with anything, and their answers are logged, shown and stored. */
const MAX_MESSAGE_LENGTH = 500

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
    super('ERR_DERP_CERTIFICATE_FAILED', oneLine(message, MAX_MESSAGE_LENGTH), { cause: details.cause })
    this.rejected = details.rejected ?? []
    this.retryAfterMs = details.retryAfterMs
  }
}
