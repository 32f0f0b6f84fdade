/** Which mesh peers have no link, for readiness (P-171). Pure. */

import type { MeshLinkSnapshot } from '../metrics/mesh-counters.ts'

/** Undefined if all expected links are up. */
export function meshProblem(links: readonly MeshLinkSnapshot[]): string | undefined {
  const missing = links.filter(({ state }) => state === 'connecting').map(({ host }) => host)
  return missing.length === 0 ? undefined : `no link to ${missing.join(', ')}`
}
