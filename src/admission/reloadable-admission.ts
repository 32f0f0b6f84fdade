/** A gate whose rules can be replaced while the relay runs. Clause: P-040. */

import type { AdmissionGate, AdmissionRequest, AdmissionVerdict } from '../server/ports.ts'
import type { AdmissionPorts } from './admission.ts'
import { type AdmissionSettings, type BuiltAdmission, createAdmission, type Revocations } from './create-admission.ts'
import type { SourceCheck } from './source-checks.ts'

export class ReloadableAdmission implements AdmissionGate {
  readonly #ports: AdmissionPorts
  readonly #revocations: Revocations
  #built: BuiltAdmission | undefined
  #isStarted = false

  /** @throws DerpError as {@link createAdmission} does. */
  constructor(settings: AdmissionSettings, ports: AdmissionPorts, revocations: Revocations) {
    this.#ports = ports
    this.#revocations = revocations
    this.#built = createAdmission(settings, ports, revocations)
  }

  /** Whether anybody may be kept out. */
  get isSet(): boolean {
    return this.#built !== undefined
  }

  /** Whether the sources answer, for readiness. */
  get checks(): readonly SourceCheck[] {
    return this.#built?.checks ?? []
  }

  async admit(request: AdmissionRequest): Promise<AdmissionVerdict> {
    for (;;) {
      const built = this.#built
      const verdict = built === undefined ? ({ admit: true } as const) : await built.gate.admit(request)
      // Other rules may have come while the sources were asked.
      if (!verdict.admit || built === this.#built) return verdict
    }
  }

  /**
   * Decides by other rules from now on, also about whom is being asked; whoever is connected is for the caller to ask about.
   *
   * @throws DerpError as {@link createAdmission} does; then nothing has changed.
   */
  replace(settings: AdmissionSettings): void {
    const next = createAdmission(settings, this.#ports, this.#revocations)
    if (this.#isStarted) next?.start()
    this.#built?.close()
    this.#built = next
  }

  start(): void {
    this.#isStarted = true
    this.#built?.start()
  }

  /** Looks at the files at once. */
  reload(): void {
    this.#built?.reload()
  }

  close(): void {
    this.#built?.close()
  }
}
