/** When to ask an authority again: to renew a certificate in good time, and after a failure (P-149). Pure. */

import type { CertificateSummary } from '../certificate-source.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/** Certificates of up to this long are renewed after half of their life: a day of trouble is much to them. */
const SHORT_LIFE_MS = 10 * DAY_MS

/** Part of the life by which renewals of many relays are spread, towards the earlier. */
const SPREAD = 0.05

/** Part of the life that passes at least between two renewals, whatever the clock says of the certificate. */
const LEAST_INTERVAL = 0.1

/** What is known of earlier attempts for a certificate; kept over restarts. */
export interface AttemptHistory {
  /** Failures since the last success. */
  readonly failures: number
  /** Nothing is asked before this time, in milliseconds since 1970. */
  readonly notBeforeMs: number
  /** When the last certificate was had, likewise; 0 for never. */
  readonly obtainedMs: number
}

export const NO_ATTEMPTS: AttemptHistory = Object.freeze({ failures: 0, notBeforeMs: 0, obtainedMs: 0 })

/** Failures that a restart is forgiven: whoever has mended something wants to see it work. */
export const FORGIVEN_FAILURES = 3

/**
 * When a certificate is due for renewal, in milliseconds since 1970: after two thirds of its life, or half of a short one.
 *
 * @param random 0 to 1.
 */
export function renewalDueMs(summary: CertificateSummary, history: AttemptHistory, random: number): number {
  const lifeMs = summary.notAfterMs - summary.notBeforeMs
  const part = lifeMs <= SHORT_LIFE_MS ? 1 / 2 : 2 / 3
  const dueMs = summary.notBeforeMs + Math.round(lifeMs * (part - SPREAD * random))
  // A clock that is far ahead finds every new certificate due at once.
  return Math.max(dueMs, history.obtainedMs + Math.round(lifeMs * LEAST_INTERVAL))
}

/**
 * The history after one more failure: a wait of one minute, then doubled up to one hour.
 *
 * @param retryAfterMs what the authority asked for; a day at most is given.
 */
export function afterFailure(
  history: AttemptHistory,
  nowMs: number,
  random: number,
  retryAfterMs: number = 0,
): AttemptHistory {
  const waitMs = Math.min(MINUTE_MS * 2 ** Math.min(history.failures, 10), HOUR_MS) * (1 + random * 0.1)
  const notBeforeMs = nowMs + Math.round(Math.max(waitMs, Math.min(retryAfterMs, DAY_MS)))
  return { ...history, failures: history.failures + 1, notBeforeMs }
}

/** The history after a success. */
export function afterSuccess(nowMs: number): AttemptHistory {
  return { failures: 0, notBeforeMs: 0, obtainedMs: nowMs }
}

/** The history as a new process takes it over: the wait counts from the fourth failure on. */
export function afterRestart({ failures, notBeforeMs, obtainedMs }: AttemptHistory, nowMs: number): AttemptHistory {
  const isForgiven = failures <= FORGIVEN_FAILURES
  return {
    failures,
    notBeforeMs: isForgiven ? 0 : Math.min(notBeforeMs, nowMs + DAY_MS),
    // Written by a clock that has been put right since.
    obtainedMs: Math.min(obtainedMs, nowMs),
  }
}
