/** Debug page settings, from the original's two variables. */

import type { DebugSettings } from '../../../daemon/settings.ts'

/** @param env where `TS_ALLOW_DEBUG_IP` and `TS_DEBUG_KEY_PATH` are looked up. */
export function debugSettings(dev: boolean, tlsHostname: string, env: NodeJS.ProcessEnv): DebugSettings {
  const { TS_ALLOW_DEBUG_IP: allowAddress, TS_DEBUG_KEY_PATH: keyPath } = env
  return { allowAddress, keyPath, hintsAtAccess: dev, tlsHostname }
}
