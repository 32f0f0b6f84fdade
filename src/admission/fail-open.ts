/** Lets in whom a source that is out of reach cannot be asked about (`-verify-client-url-fail-open`). Clause: P-040. */

import type { AdmissionRequest } from '../server/ports.ts'
import type { AdmissionPorts } from './admission.ts'
import { type Approval, type Denial, type Policy, SourceDownError } from './policy.ts'

/** Says yes where `policy` has no connection to its source; an answer that is neither a yes nor a no stays none. */
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
