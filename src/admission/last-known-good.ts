/**
 * Remembers clients admitted by a backend, for when it is unreachable.
 *
 * Clause: P-040.
 */

import { KeyMap } from '../keys/key-map.ts'
import { formatDuration } from '../lib/duration.ts'
import type { AdmissionRequest } from '../server/ports.ts'
import type { AdmissionPorts } from './admission.ts'
import { type Approval, type Denial, type Policy, SourceDownError } from './policy.ts'

/** Maximum remembered keys; some 200 bytes each. */
const MAX_KEYS = 100_000

/** While `policy` is down, admits clients that it admitted recently. A denial is final and forgets the key. */
export class LastKnownGood implements Policy {
  readonly #policy: Policy
  readonly #ttlMs: number
  readonly #ports: AdmissionPorts
  /** When each key was last admitted; oldest first. */
  readonly #admittedAtMs = new KeyMap<number>()

  /** @param ttlMs milliseconds for which an approval counts; 0 for none. */
  constructor(policy: Policy, ttlMs: number, ports: AdmissionPorts) {
    this.#policy = policy
    this.#ttlMs = ttlMs
    this.#ports = ports
  }

  async admit(request: AdmissionRequest): Promise<Approval | Denial> {
    try {
      const verdict = await this.#policy.admit(request)
      this.#note(request, verdict.admit)
      return verdict
    } catch (error) {
      const ageMs = this.#ageMs(request)
      if (!(error instanceof SourceDownError) || ageMs === undefined) throw error
      this.#ports.counters.admittedFromMemory++
      return {
        admit: true,
        by: `approval of ${formatDuration(Math.round(ageMs / 1_000) * 1_000)} ago: ${error.message}`,
      }
    }
  }

  #note({ clientKey }: AdmissionRequest, isAdmitted: boolean): void {
    this.#admittedAtMs.delete(clientKey)
    if (!isAdmitted || this.#ttlMs === 0) return
    this.#admittedAtMs.set(clientKey, this.#ports.clock.now())
    if (this.#admittedAtMs.size <= MAX_KEYS) return
    for (const [oldest] of this.#admittedAtMs) {
      this.#admittedAtMs.delete(oldest)
      break
    }
  }

  /** Milliseconds since the key was admitted; undefined if never, or too long ago. */
  #ageMs({ clientKey }: AdmissionRequest): number | undefined {
    const atMs = this.#admittedAtMs.get(clientKey.bytes)
    if (atMs === undefined) return undefined
    const ageMs = this.#ports.clock.now() - atMs
    if (ageMs <= this.#ttlMs) return ageMs
    this.#admittedAtMs.delete(clientKey)
    return undefined
  }
}
