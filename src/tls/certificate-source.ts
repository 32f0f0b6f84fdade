/** Where a relay's certificates come from while it runs: files that are watched, or an authority that is asked. */

import { X509Certificate } from 'node:crypto'

/** One certificate of a relay, and what went wrong last. */
export interface CertificateStatus {
  /** Whom it is for: the host name, or IP addresses with commas between. */
  readonly subject: string
  /** SHA-256 of the certificate as hexadecimal digits; undefined while there is none. */
  readonly fingerprint: string | undefined
  /** When it ends, in milliseconds since 1970; undefined while there is none. */
  readonly notAfterMs: number | undefined
  /** Why it could not be replaced the last time; undefined once it could. */
  readonly lastError: string | undefined
  /** When that was, in milliseconds since 1970. */
  readonly lastErrorMs: number | undefined
  /** When it is tried again, in milliseconds since 1970; undefined if nothing is planned. */
  readonly nextAttemptMs: number | undefined
  /** Failures since the start. */
  readonly failures: number
  /** Times that another certificate was put in place since the start. */
  readonly replacements: number
}

/** Keeps a relay's certificates fresh. */
export interface CertificateSource {
  status(): readonly CertificateStatus[]
  /** Begins; the relay's listeners must be open, since an authority may call back. Never rejects. */
  start(): Promise<void>
  /** Looks again now, or asks again now. Failures are logged and kept in the status; never rejects. */
  reload(): Promise<void>
  /** Stops; resolves when nothing is under way any more. */
  close(): Promise<void>
}

/** What can be said of a certificate. */
export interface CertificateSummary {
  readonly fingerprint: string
  readonly notBeforeMs: number
  readonly notAfterMs: number
}

/** Reads the first certificate of a PEM text. @throws Error when there is none. */
export function summarizeCertificate(pem: string): CertificateSummary {
  const { fingerprint256, validFromDate, validToDate } = new X509Certificate(pem)
  return {
    fingerprint: fingerprint256.replaceAll(':', '').toLowerCase(),
    notBeforeMs: validFromDate.getTime(),
    notAfterMs: validToDate.getTime(),
  }
}

/** What keeps a relay from being ready, in words; undefined when every certificate is there and in its time. */
export function certificateProblem(statuses: readonly CertificateStatus[], nowMs: number): string | undefined {
  for (const { subject, notAfterMs, lastError } of statuses) {
    const because = lastError === undefined ? '' : `: ${lastError}`
    if (notAfterMs === undefined) return `no certificate for ${subject} yet${because}`
    if (notAfterMs <= nowMs) return `certificate for ${subject} has ended${because}`
  }
  return undefined
}

/** What will keep a relay from being ready if nobody looks after it: a certificate that is good, and is not replaced. */
export function renewalProblem(statuses: readonly CertificateStatus[], nowMs: number): string | undefined {
  for (const { subject, notAfterMs = 0, lastError } of statuses) {
    if (notAfterMs > nowMs && lastError !== undefined) return `certificate for ${subject} is kept: ${lastError}`
  }
  return undefined
}
