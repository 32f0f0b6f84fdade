/** A gate whose rules can be replaced while the relay runs. Clause: P-040. */

import type { AdmissionGate, AdmissionRequest, AdmissionVerdict } from '../server/ports.ts'
import type { AdmissionPorts } from './admission.ts'
import { type AdmissionSettings, type BuiltAdmission, createAdmission } from './create-admission.ts'
import type { OnRevoked } from './key-file.ts'
import type { SourceCheck } from './source-checks.ts'

export class AdmissionSwitch implements AdmissionGate {
  readonly #ports: AdmissionPorts
  readonly #onRevoked: OnRevoked
  #built: BuiltAdmission | undefined
  #isStarted = false

  /** @throws DerpError as {@link createAdmission} does. */
  constructor(settings: AdmissionSettings, ports: AdmissionPorts, onRevoked: OnRevoked) {
    this.#ports = ports
    this.#onRevoked = onRevoked
    this.#built = createAdmission(settings, ports, onRevoked)
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
    return this.#built === undefined ? { admit: true } : this.#built.gate.admit(request)
  }

  /**
   * Decides by other rules from now on; whoever is connected stays.
   *
   * @throws DerpError as {@link createAdmission} does; then nothing has changed.
   */
  replace(settings: AdmissionSettings): void {
    const next = createAdmission(settings, this.#ports, this.#onRevoked)
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
