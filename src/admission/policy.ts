/**
 * What admission is made of: policies that say yes or no to a client, or cannot tell.
 *
 * Siblings with the mesh key are not asked about. A client that calls itself a prober is asked about like any other.
 * Clause: P-040.
 */

import { DerpError } from '../lib/derp-error.ts'
import type { AdmissionSource, DenialReason } from '../metrics/admission-counters.ts'
import type { AdmissionRequest } from '../server/ports.ts'

export interface Approval {
  readonly admit: true
  /** What said yes, for the log. */
  readonly by: string
}

export interface Denial {
  readonly admit: false
  readonly cause: DenialReason
  /** The cause in words. */
  readonly reason: string
  /** No source has said no: none could be asked. */
  readonly isUnsure?: boolean
}

/** One rule, or several that were joined. */
export interface Policy {
  /** Rejects with a {@link SourceDownError} when it cannot tell. */
  admit(request: AdmissionRequest): Promise<Approval | Denial>
}

/** A source could not say yes or no. */
export class SourceDownError extends DerpError {
  readonly source: AdmissionSource
  /** Nothing came back at all; otherwise something did that is neither a yes nor a no. */
  readonly isTransport: boolean

  constructor(source: AdmissionSource, reason: string, details: { isTransport: boolean; cause?: unknown }) {
    super('ERR_DERP_ADMISSION_DENIED', reason, { clause: 'P-040', cause: details.cause })
    this.source = source
    this.isTransport = details.isTransport
  }
}
