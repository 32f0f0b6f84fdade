/** Readiness checks of the daemon (P-171). */

import type { ReloadableAdmission } from '../admission/reloadable-admission.ts'
import { meshProblem } from '../mesh/mesh-problem.ts'
import type { MeshLinkSnapshot } from '../metrics/mesh-counters.ts'
import type { Readiness } from '../status/readiness.ts'
import { type CertificateSource, certificateProblem, renewalProblem } from '../tls/certificate-source.ts'
import type { DaemonRegion } from './region/daemon-region.ts'

/** What the checks read. */
export interface CheckedParts {
  readonly draining: { readonly problem: string | undefined }
  readonly isListening: () => boolean
  readonly certificates: () => CertificateSource | undefined
  readonly admission: Pick<ReloadableAdmission, 'checks'>
  readonly region: Pick<DaemonRegion, 'checks'> | undefined
  readonly mesh: () => readonly MeshLinkSnapshot[] | undefined
  /** Milliseconds since 1970. */
  readonly wallNow: () => number
}

export function addDaemonChecks(readiness: Readiness, parts: CheckedParts): void {
  readiness.add(
    // Unlike the relay's own check, fails while clients are still accepted.
    { name: 'draining', problem: () => parts.draining.problem },
    { name: 'listeners', problem: () => (parts.isListening() ? undefined : 'no connections are accepted') },
    {
      name: 'certificate',
      problem: () => certificateProblem(parts.certificates()?.status() ?? [], parts.wallNow()),
    },
    {
      name: 'certificate-renewal',
      problem: () => renewalProblem(parts.certificates()?.status() ?? [], parts.wallNow()),
      degradesOnly: true,
    },
    // Local clients still reach each other, and one mesh peer that is down must not take the others out of service.
    { name: 'mesh', problem: () => meshProblem(parts.mesh() ?? []), degradesOnly: true },
  )
  readiness.addGroup(() => parts.admission.checks)
  readiness.addGroup(() => parts.region?.checks ?? [])
}
