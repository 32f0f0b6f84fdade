/** Counters of who was let in and who was not, as plain number fields. */

/** Why a client was not let in: a closed list, each with its counter. */
export const DenialReason = {
  /** It calls itself by an application name that is not let in. */
  AppNameDenied: 'app_name_denied',
  /** Its key is on the deny list. */
  KeyDenied: 'key_denied',
  /** Its key is not on the allow list. */
  KeyNotListed: 'key_not_listed',
  TokenMissing: 'token_missing',
  TokenUnknown: 'token_unknown',
  /** The local `tailscaled` does not know the key. */
  NotInTailnet: 'not_in_tailnet',
  /** The admission URL said no. */
  UrlRefused: 'url_refused',
  /** A source that must agree could not tell. */
  SourceDown: 'source_down',
} as const
export type DenialReason = (typeof DenialReason)[keyof typeof DenialReason]

/** All reasons. */
export const DENIAL_REASONS: readonly DenialReason[] = Object.values(DenialReason)

/** What is asked over a connection, and may be out of reach. */
export type AdmissionSource = 'local_daemon' | 'url'

/** What can say yes to a client. */
export type AdmissionRule = 'allow_list' | 'token' | AdmissionSource

export class AdmissionCounters {
  admitted = 0
  /** Each yes of a rule; a client may need several. */
  readonly approvals: Record<AdmissionRule, number> = { allow_list: 0, token: 0, local_daemon: 0, url: 0 }
  /** Of those admitted: because the source had admitted them before it failed. */
  admittedFromMemory = 0
  /** Of those admitted: because the admission URL was out of reach, and is set to fail open. */
  admittedByFailOpen = 0
  readonly denied: Record<DenialReason, number> = Object.fromEntries(
    DENIAL_REASONS.map(reason => [reason, 0]),
  ) as Record<DenialReason, number>
  /** Questions that a source did not answer by yes or no. */
  readonly sourceFailures: Record<AdmissionSource, number> = { local_daemon: 0, url: 0 }
  /** Changed files of keys or tokens that were taken, and those that were not. */
  filesReloaded = 0
  filesRejected = 0
}
