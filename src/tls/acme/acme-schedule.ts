/** When to contact the authority again: for renewal, and after a failure (P-149). Pure. */

import type { CertificateSummary } from '../certificate-source.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/** Certificates up to this lifetime are renewed at half of it: they leave little time for problems. */
const SHORT_LIFE_MS = 10 * DAY_MS

/** Jitter as a fraction of the lifetime, towards earlier renewal. */
const SPREAD = 0.05

/** Minimum time between renewals as a fraction of the lifetime, whatever the clock says. */
const MIN_INTERVAL = 0.1

/** History of attempts for a certificate; survives restarts. */
export interface AttemptHistory {
  /** Failures since the last success. */
  readonly failures: number
  /** Earliest next attempt, in milliseconds since 1970. */
  readonly notBeforeMs: number
  /** When the last certificate was obtained, in milliseconds since 1970; 0 for never. */
  readonly obtainedMs: number
}

export const NO_ATTEMPTS: AttemptHistory = Object.freeze({ failures: 0, notBeforeMs: 0, obtainedMs: 0 })

/** Failures waived after a restart: an operator who fixed something wants to see it work. */
export const FORGIVEN_FAILURES = 3

/**
 * When a certificate is due for renewal, in milliseconds since 1970: after two thirds of its lifetime, or half of a short
 * one. `random` is 0 to 1.
 */
export function renewalDueMs(summary: CertificateSummary, history: AttemptHistory, random: number): number {
  const lifeMs = summary.notAfterMs - summary.notBeforeMs
  const part = lifeMs <= SHORT_LIFE_MS ? 1 / 2 : 2 / 3
  const dueMs = summary.notBeforeMs + Math.round(lifeMs * (part - SPREAD * random))
  // With a clock far ahead every new certificate looks due at once.
  return Math.max(dueMs, history.obtainedMs + Math.round(lifeMs * MIN_INTERVAL))
}

/**
 * The history after another failure: a wait of one minute, doubling up to one hour.
 *
 * @param retryAfterMs requested by the authority; capped at a day.
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

export function afterSuccess(nowMs: number): AttemptHistory {
  return { failures: 0, notBeforeMs: 0, obtainedMs: nowMs }
}

/** The history as resumed by a new process: waits apply from the fourth failure on. */
export function afterRestart({ failures, notBeforeMs, obtainedMs }: AttemptHistory, nowMs: number): AttemptHistory {
  const isForgiven = failures <= FORGIVEN_FAILURES
  return {
    failures,
    notBeforeMs: isForgiven ? 0 : Math.min(notBeforeMs, nowMs + DAY_MS),
    // Written by a clock that has since been corrected.
    obtainedMs: Math.min(obtainedMs, nowMs),
  }
}

/**
 * The history after the clock was set back: the same unless it has times that lie ahead. A wait until then may be years;
 * and a clock that was wrong is often why an attempt failed.
 */
export function afterClockSetBack(history: AttemptHistory, nowMs: number): AttemptHistory {
  const { notBeforeMs, obtainedMs } = history
  if (notBeforeMs <= nowMs + DAY_MS + HOUR_MS && obtainedMs <= nowMs + HOUR_MS) return history
  return { ...history, notBeforeMs: Math.min(notBeforeMs, nowMs), obtainedMs: Math.min(obtainedMs, nowMs) }
}
