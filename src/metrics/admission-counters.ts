/** Admission counters, as plain number fields. */

/** Why a client was refused: a closed list, each with its counter. */
export const DenialReason = {
  /** Its application name is denied. */
  AppNameDenied: 'app_name_denied',
  /** Its key is on the deny list. */
  KeyDenied: 'key_denied',
  /** Its key is not on the allow list. */
  KeyNotListed: 'key_not_listed',
  TokenMissing: 'token_missing',
  TokenUnknown: 'token_unknown',
  /** The local `tailscaled` does not know the key. */
  NotInTailnet: 'not_in_tailnet',
  /** The admission URL refused. */
  UrlRefused: 'url_refused',
  /** A required backend was unreachable. */
  SourceDown: 'source_down',
  /** A required backend could not be asked: this relay is short of descriptors, or too many requests are pending. */
  Overloaded: 'overloaded',
} as const
export type DenialReason = (typeof DenialReason)[keyof typeof DenialReason]

const DENIAL_REASONS: readonly DenialReason[] = Object.values(DenialReason)

/** Backends asked over a connection, which may be unreachable. */
export type AdmissionSource = 'local_daemon' | 'url'

/** Rules that can approve a client. */
export type AdmissionRule = 'allow_list' | 'token' | AdmissionSource

export class AdmissionCounters {
  admitted = 0
  /** Approvals per rule; a client may need several. */
  readonly approvals: Record<AdmissionRule, number> = { allow_list: 0, token: 0, local_daemon: 0, url: 0 }
  /** Admitted because the backend had approved them before it failed. */
  admittedFromMemory = 0
  /** Admitted because the admission URL was unreachable and fails open. */
  admittedByFailOpen = 0
  readonly denied: Record<DenialReason, number> = Object.fromEntries(
    DENIAL_REASONS.map(reason => [reason, 0]),
  ) as Record<DenialReason, number>
  /** Requests that a backend did not answer with yes or no. */
  readonly sourceFailures: Record<AdmissionSource, number> = { local_daemon: 0, url: 0 }
  /** Changed key or token files that were loaded, and those rejected. */
  filesReloaded = 0
  filesRejected = 0
}
