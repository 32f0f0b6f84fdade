/** An admission gate whose rules can be replaced at runtime. Clause: P-040. */

import type { AdmissionGate, AdmissionRequest, AdmissionVerdict } from '../server/ports.ts'
import type { AdmissionPorts } from './admission.ts'
import { type AdmissionSettings, type BuiltAdmission, createAdmission, type Revocations } from './create-admission.ts'
import type { SourceCheck } from './source-checks.ts'

export class ReloadableAdmission implements AdmissionGate {
  readonly #ports: AdmissionPorts
  readonly #revocations: Revocations
  #built: BuiltAdmission | undefined
  #isStarted = false

  private constructor(built: BuiltAdmission | undefined, ports: AdmissionPorts, revocations: Revocations) {
    this.#ports = ports
    this.#revocations = revocations
    this.#built = built
  }

  /** Rejects as {@link createAdmission} does. */
  static async create(
    settings: AdmissionSettings,
    ports: AdmissionPorts,
    revocations: Revocations,
  ): Promise<ReloadableAdmission> {
    return new ReloadableAdmission(await createAdmission(settings, ports, revocations), ports, revocations)
  }

  /** Whether any rule is set. */
  get isSet(): boolean {
    return this.#built !== undefined
  }

  /** Whether the backends respond, for readiness. */
  get checks(): readonly SourceCheck[] {
    return this.#built?.checks ?? []
  }

  async admit(request: AdmissionRequest): Promise<AdmissionVerdict> {
    for (;;) {
      const built = this.#built
      const verdict = built === undefined ? ({ admit: true } as const) : await built.gate.admit(request)
      // The rules may have changed during the requests.
      if (!verdict.admit || built === this.#built) return verdict
    }
  }

  /**
   * Applies new rules from now on, also to pending checks; re-checking connected clients is up to the caller.
   *
   * One call at a time. Rejects as {@link createAdmission} does; then nothing has changed.
   */
  async replace(settings: AdmissionSettings): Promise<void> {
    const next = await createAdmission(settings, this.#ports, this.#revocations)
    if (this.#isStarted) next?.start()
    this.#built?.close()
    this.#built = next
  }

  start(): void {
    this.#isStarted = true
    this.#built?.start()
  }

  /** Resolves to problems and their effect, for backends that do not respond. */
  async probe(): Promise<readonly string[]> {
    return (await this.#built?.probe()) ?? []
  }

  /** Checks the files now. */
  async reload(): Promise<void> {
    await this.#built?.reload()
  }

  close(): void {
    this.#built?.close()
  }
}
