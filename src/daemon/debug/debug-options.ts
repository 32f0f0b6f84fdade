/** The debug pages of the daemon, from its settings. */

import type { DebugOptions } from '../../http/debug/debug.ts'
import type { DebugSettings } from '../settings.ts'
import { PAGE_LINKS } from './daemon-pages.ts'
import type { DebugSecrets } from './debug-secrets.ts'

export function debugOptions(
  { allowAddress, hintsAtAccess, tlsHostname }: DebugSettings,
  secrets: DebugSecrets,
): Pick<DebugOptions, 'access' | 'hintsAtAccess' | 'tlsHostname' | 'links'> {
  return { access: { allowAddress, readKey: () => secrets.key }, hintsAtAccess, tlsHostname, links: PAGE_LINKS }
}
