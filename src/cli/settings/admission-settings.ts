/** Who may connect, from the flags. */

import type { AdmissionSettings } from '../../admission/create-admission.ts'
import type { ADMISSION_FLAGS } from '../flags/admission.ts'
import type { FlagValues } from '../go-flags.ts'
import { listSetting } from './setting.ts'

export function admissionSettings(flags: FlagValues<typeof ADMISSION_FLAGS>): AdmissionSettings {
  return {
    deniedAppNames: listSetting(flags['disallow-app-names']),
    allowKeysFile: flags['allow-keys-file'] || undefined,
    denyKeysFile: flags['deny-keys-file'] || undefined,
    tokensFile: flags['tokens-file'] || undefined,
    daemonSocket: flags['verify-clients'] ? flags.socket : undefined,
    url: flags['verify-client-url'] || undefined,
    urlFailOpen: flags['verify-client-url-fail-open'],
    memoryMs: flags['admission-memory'],
  }
}
