/** Admits clients while a backend is unreachable (`-verify-client-url-fail-open`). Clause: P-040. */

import type { AdmissionRequest } from '../server/ports.ts'
import type { AdmissionPorts } from './admission.ts'
import { type Approval, type Denial, type Policy, SourceDownError } from './policy.ts'

/** Approves if `policy` cannot reach its backend; an invalid response, or a shortage of our own, does not count. */
export class FailOpen implements Policy {
  readonly #policy: Policy
  readonly #ports: AdmissionPorts

  constructor(policy: Policy, ports: AdmissionPorts) {
    this.#policy = policy
    this.#ports = ports
  }

  async admit(request: AdmissionRequest): Promise<Approval | Denial> {
    try {
      return await this.#policy.admit(request)
    } catch (error) {
      if (!(error instanceof SourceDownError && error.isTransport)) throw error
      this.#ports.counters.admittedByFailOpen++
      return { admit: true, by: `fail-open: ${error.message}` }
    }
  }
}
