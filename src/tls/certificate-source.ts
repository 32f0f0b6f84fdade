/** Where a relay's certificates come from while it runs: watched files, or an ACME authority. */

import { X509Certificate } from 'node:crypto'

/** One certificate of a relay, and its last failure. */
export interface CertificateStatus {
  /** The host name, or comma-separated IP addresses. */
  readonly subject: string
  /** SHA-256 of the certificate in hex; undefined while there is none. */
  readonly fingerprint: string | undefined
  /** When it expires, in milliseconds since 1970; undefined while there is none. */
  readonly notAfterMs: number | undefined
  /** Why the last attempt to replace it failed; undefined after a success. */
  readonly lastError: string | undefined
  /** When that attempt failed, in milliseconds since 1970. */
  readonly lastErrorMs: number | undefined
  /** Next attempt, in milliseconds since 1970; undefined if none is planned. */
  readonly nextAttemptMs: number | undefined
  /** Failures since start. */
  readonly failures: number
  /** Replacements since start. */
  readonly replacements: number
}

/** Keeps a relay's certificates current. */
export interface CertificateSource {
  status(): readonly CertificateStatus[]
  /** Starts; the relay's listeners must be open, because an authority may connect. Never rejects. */
  start(): Promise<void>
  /** Checks or retries now. Failures are logged and kept in the status; never rejects. */
  reload(): Promise<void>
  /** Stops; resolves once nothing is pending. */
  close(): Promise<void>
}

/** Hash and expiry of a certificate. */
export interface CertificateSummary {
  readonly fingerprint: string
  readonly notBeforeMs: number
  readonly notAfterMs: number
}

/** Parses the first certificate of a PEM text. @throws Error if there is none. */
export function summarizeCertificate(pem: string): CertificateSummary {
  const { fingerprint256, validFromDate, validToDate } = new X509Certificate(pem)
  return {
    fingerprint: fingerprint256.replaceAll(':', '').toLowerCase(),
    notBeforeMs: validFromDate.getTime(),
    notAfterMs: validToDate.getTime(),
  }
}

/** Why a relay is not ready; undefined if every certificate exists and is valid now. */
export function certificateProblem(statuses: readonly CertificateStatus[], nowMs: number): string | undefined {
  for (const { subject, notAfterMs, lastError } of statuses) {
    const because = lastError === undefined ? '' : `: ${lastError}`
    if (notAfterMs === undefined) return `no certificate for ${subject} yet${because}`
    if (notAfterMs <= nowMs) return `certificate for ${subject} has expired${because}`
  }
  return undefined
}

/** What will make a relay unready unless fixed: a valid certificate that fails to be replaced. */
export function renewalProblem(statuses: readonly CertificateStatus[], nowMs: number): string | undefined {
  for (const { subject, notAfterMs = 0, lastError } of statuses) {
    if (notAfterMs > nowMs && lastError !== undefined) return `certificate for ${subject} was not renewed: ${lastError}`
  }
  return undefined
}
