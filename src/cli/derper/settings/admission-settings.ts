/** Admission rules, from the flags. */

import { parseAdmissionUrl } from '../../../admission/admit-url.ts'
import type { AdmissionSettings } from '../../../admission/create-admission.ts'
import { parseKeyList } from '../../../admission/key-file.ts'
import { parseTokenList } from '../../../admission/tokens.ts'
import type { FlagValues } from '../../go-flags.ts'
import type { ADMISSION_FLAGS } from '../flags/admission.ts'
import { listSetting, readSettingFile, settingError, settingsError } from './setting.ts'

type Flags = FlagValues<typeof ADMISSION_FLAGS>

/** Reads the files once, for errors that name the flag. Rejects with a DerpError naming flag, file and reason. */
export async function admissionSettings(flags: Flags): Promise<AdmissionSettings> {
  const memoryMs = flags['admission-memory']
  if (memoryMs < 0) throw settingError('admission-memory', `${memoryMs}ms`, 'below 0; 0 is for no memory')
  return {
    deniedAppNames: listSetting(flags['disallow-app-names']),
    allowKeysFile: await checkedFile(flags, 'allow-keys-file', parseKeyList),
    denyKeysFile: await checkedFile(flags, 'deny-keys-file', parseKeyList),
    tokensFile: await checkedFile(flags, 'tokens-file', parseTokenList),
    daemonSocket: flags['verify-clients'] ? flags.socket : undefined,
    url: checkedUrl(flags['verify-client-url']),
    urlFailOpen: flags['verify-client-url-fail-open'],
    memoryMs,
  }
}

/** Strangers find and use open relays. */
export function admissionNotes(settings: AdmissionSettings): string[] {
  const { allowKeysFile, tokensFile, daemonSocket, url } = settings
  const isOpen =
    allowKeysFile === undefined && tokensFile === undefined && daemonSocket === undefined && url === undefined
  return isOpen
    ? ['anyone who reaches this relay can use it; restrict that with -verify-clients, -allow-keys-file or others']
    : []
}

type FileFlag = 'allow-keys-file' | 'deny-keys-file' | 'tokens-file'

async function checkedFile(
  flags: Flags,
  flag: FileFlag,
  parse: (text: string) => unknown,
): Promise<string | undefined> {
  const path = flags[flag]
  if (path === '') return undefined
  await readSettingFile(flag, path, parse)
  return path
}

function checkedUrl(text: string): string | undefined {
  if (text === '') return undefined
  try {
    parseAdmissionUrl(text)
  } catch (error) {
    // The URL is left out, as it may hold a password.
    throw settingsError(`set flag -verify-client-url: ${(error as Error).message}`, error)
  }
  return text
}
