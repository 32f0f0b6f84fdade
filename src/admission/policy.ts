/**
 * The elements of admission: policies that approve or deny a client, or cannot decide.
 *
 * Mesh peers with the mesh key skip admission. Probers are checked like any other client.
 * Clause: P-040.
 */

import { DerpError } from '../lib/derp-error.ts'
import type { AdmissionSource, DenialReason } from '../metrics/admission-counters.ts'
import type { AdmissionRequest } from '../server/ports.ts'

export interface Approval {
  readonly admit: true
  /** What approved, for the log. */
  readonly by: string
}

export interface Denial {
  readonly admit: false
  readonly cause: DenialReason
  /** The reason in words. */
  readonly reason: string
  /** No backend has denied: one was unreachable. */
  readonly isUnsure?: boolean
}

/** A rule or a combination of rules. */
export interface Policy {
  /** Rejects with a {@link SourceDownError} if it cannot decide. */
  admit(request: AdmissionRequest): Promise<Approval | Denial>
}

export interface SourceDownDetails {
  readonly isTransport: boolean
  /** Default: no. */
  readonly isOwn?: boolean
  readonly cause?: unknown
}

/** A backend could not approve or deny. */
export class SourceDownError extends DerpError {
  readonly source: AdmissionSource
  /** There was no response at all; otherwise an invalid one. */
  readonly isTransport: boolean
  /** The request was not sent for a local reason; says nothing about the backend. */
  readonly isOwn: boolean

  constructor(source: AdmissionSource, reason: string, details: SourceDownDetails) {
    super('ERR_DERP_ADMISSION_DENIED', reason, { clause: 'P-040', cause: details.cause })
    this.source = source
    this.isOwn = details.isOwn ?? false
    this.isTransport = details.isTransport && !this.isOwn
  }
}
