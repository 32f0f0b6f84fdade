/** Combines policies. Clause: P-040. */

import type { AdmissionRequest } from '../server/ports.ts'
import type { Approval, Denial, Policy } from './policy.ts'

/** All must approve. They are asked in order; the first that does not approve decides. */
export function allOf(policies: readonly Policy[]): Policy {
  return {
    async admit(request: AdmissionRequest): Promise<Approval | Denial> {
      const approvals: string[] = []
      for (const policy of policies) {
        const verdict = await policy.admit(request)
        if (!verdict.admit) return verdict
        approvals.push(verdict.by)
      }
      return { admit: true, by: approvals.filter(by => by !== '').join(', ') }
    },
  }
}

/**
 * One approval is enough. They are asked in order.
 *
 * If none approves, an undecided one outweighs denials; otherwise the last denial decides.
 */
export function anyOf(policies: readonly [Policy, ...Policy[]]): Policy {
  return {
    async admit(request: AdmissionRequest): Promise<Approval | Denial> {
      let failure: { readonly error: unknown } | undefined
      let denial: Denial | undefined
      for (const policy of policies) {
        try {
          const verdict = await policy.admit(request)
          if (verdict.admit) return verdict
          denial = verdict
        } catch (error) {
          failure ??= { error }
        }
      }
      if (failure !== undefined || denial === undefined) throw failure?.error
      return denial
    },
  }
}
