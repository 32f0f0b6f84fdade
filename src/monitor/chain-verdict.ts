/** Judges the dates of a relay's certificates. Pure. */

import { isMetaCertificate } from '../client/dial/meta-certificate.ts'
import type { PeerCertificate } from '../client/ports.ts'

const DAY_MS = 24 * 3_600_000
/** Minimum remaining validity of a certificate, in milliseconds. */
const EXPIRES_SOON_MS = 7 * DAY_MS

/** What is wrong, one sentence for each certificate. */
export function chainProblems(chain: readonly PeerCertificate[], nowMs: number): string[] {
  return ofChain(chain).flatMap(({ subject, validFromDate, validToDate }) => {
    const name = oneLine(subject)
    if (nowMs < validFromDate.getTime()) {
      const since = validFromDate.toISOString()
      return [`certificate ${name} is not valid before ${since}: check the clocks of both machines`]
    }
    const leftMs = validToDate.getTime() - nowMs
    if (leftMs >= EXPIRES_SOON_MS) return []
    const days = `${(leftMs / DAY_MS).toFixed(1)} days`
    return [`certificate ${name} expires in ${days}, on ${validToDate.toISOString()}: renew it`]
  })
}

/** When the first of a chain expires, in milliseconds since 1970; undefined for an empty chain. */
export function earliestExpiry(chain: readonly PeerCertificate[]): number | undefined {
  const ends = ofChain(chain).map(({ validToDate }) => validToDate.getTime())
  return ends.length === 0 ? undefined : Math.min(...ends)
}

/** A distinguished name in one line. */
export function oneLine(name: string): string {
  return name.trim().replaceAll('\n', ', ')
}

/** Meta certificates are no part of it. */
function ofChain(chain: readonly PeerCertificate[]): PeerCertificate[] {
  return chain.filter(certificate => !isMetaCertificate(certificate))
}
