/** What must be so for the daemon to be ready (P-171). */

import type { ReloadableAdmission } from '../admission/reloadable-admission.ts'
import { meshProblem } from '../mesh/mesh-problem.ts'
import type { MeshLinkSnapshot } from '../metrics/mesh-counters.ts'
import type { Readiness } from '../status/readiness.ts'
import { type CertificateSource, certificateProblem, renewalProblem } from '../tls/certificate-source.ts'

/** What is looked at; undefined where there is no such thing. */
export interface CheckedParts {
  readonly draining: { readonly problem: string | undefined }
  readonly isListening: () => boolean
  readonly certificates: () => CertificateSource | undefined
  readonly admission: Pick<ReloadableAdmission, 'checks'>
  readonly mesh: () => readonly MeshLinkSnapshot[] | undefined
  /** Milliseconds since 1970. */
  readonly wallNow: () => number
}

/** Adds the checks. */
export function addDaemonChecks(readiness: Readiness, parts: CheckedParts): void {
  readiness.add(
    // Also while clients are still taken, unlike the relay's own.
    { name: 'draining', problem: () => parts.draining.problem },
    { name: 'listeners', problem: () => (parts.isListening() ? undefined : 'no connections are taken') },
    {
      name: 'certificate',
      problem: () => certificateProblem(parts.certificates()?.status() ?? [], parts.wallNow()),
    },
    {
      name: 'certificate-renewal',
      problem: () => renewalProblem(parts.certificates()?.status() ?? [], parts.wallNow()),
      degradesOnly: true,
    },
    // Clients of this relay reach each other, and a mesh peer that is down must not take the others along.
    { name: 'mesh', problem: () => meshProblem(parts.mesh() ?? []), degradesOnly: true },
  )
  readiness.addGroup(() => parts.admission.checks)
}
