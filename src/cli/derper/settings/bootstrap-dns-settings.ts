/** Names for `/bootstrap-dns`, from the flags. */

import type { BootstrapDnsSettings } from '../../../daemon/settings.ts'
import { BootstrapNames } from '../../../http/pages/bootstrap-names.ts'
import type { FlagValues } from '../../go-flags.ts'
import type { BOOTSTRAP_DNS_FLAGS } from '../flags/bootstrap-dns.ts'
import { settingError } from './setting.ts'

type Flags = FlagValues<typeof BOOTSTRAP_DNS_FLAGS>

/** @throws DerpError naming flag, value and reason. */
export function bootstrapDnsSettings(flags: Flags): BootstrapDnsSettings {
  return {
    published: checked(flags, 'bootstrap-dns-names'),
    unpublished: checked(flags, 'unpublished-bootstrap-dns-names'),
  }
}

function checked(flags: Flags, flag: keyof Flags): string {
  const text = flags[flag]
  try {
    if (text !== '') new BootstrapNames(text)
  } catch (error) {
    throw settingError(flag, text, (error as Error).message, error)
  }
  return text
}
