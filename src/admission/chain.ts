/** Several policies as one. Clause: P-040. */

import type { AdmissionRequest } from '../server/ports.ts'
import type { Approval, Denial, Policy } from './policy.ts'

/** All must agree. They are asked one after the other, and the first that does not agree is the answer. */
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
 * One that agrees is enough. They are asked one after the other.
 *
 * When none agrees, one that cannot tell outweighs those that say no; else the last no is the answer.
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
