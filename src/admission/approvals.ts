/** Counts approvals by rule. Clause: P-040. */

import type { AdmissionCounters, AdmissionRule } from '../metrics/admission-counters.ts'
import type { AdmissionRequest } from '../server/ports.ts'
import type { Approval, Denial, Policy } from './policy.ts'

/** `policy`, with its approvals counted for `rule`, even if other rules deny. */
export function countApprovals(policy: Policy, rule: AdmissionRule, counters: AdmissionCounters): Policy {
  return {
    async admit(request: AdmissionRequest): Promise<Approval | Denial> {
      const verdict = await policy.admit(request)
      if (verdict.admit) counters.approvals[rule]++
      return verdict
    },
  }
}
