/** The debug pages of the daemon, from its settings. */

import type { DebugOptions } from '../http/debug/debug.ts'
import type { DebugKey } from './debug-key.ts'
import type { DebugSettings } from './settings.ts'

export function debugOptions(
  { allowAddress, hintsAtAccess, tlsHostname }: DebugSettings,
  key: DebugKey,
): Pick<DebugOptions, 'access' | 'hintsAtAccess' | 'tlsHostname'> {
  return { access: { allowAddress, readKey: () => key.value }, hintsAtAccess, tlsHostname }
}
