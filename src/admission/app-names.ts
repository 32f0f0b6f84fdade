/** Refuses clients by the application name they report (P-040): against old software, not attackers. */

import { DenialReason } from '../metrics/admission-counters.ts'
import type { AdmissionRequest } from '../server/ports.ts'
import type { Approval, Denial, Policy } from './policy.ts'

export class DeniedAppNames implements Policy {
  readonly #names: ReadonlySet<string>

  /** Names are compared exactly. */
  constructor(names: readonly string[]) {
    this.#names = new Set(names)
  }

  async admit({ info: { appName } }: AdmissionRequest): Promise<Approval | Denial> {
    if (appName === undefined || !this.#names.has(appName)) return { admit: true, by: '' }
    return { admit: false, cause: DenialReason.AppNameDenied, reason: `application "${appName}" is denied` }
  }
}
