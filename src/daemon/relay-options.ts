/** What the daemon's relay is made with, on whatever thread. */

import type { DerperSettings } from '../cli/derper/derper-settings.ts'
import type { MeshKey } from '../keys/mesh-key.ts'
import type { NodePrivateKey } from '../keys/node-key.ts'
import type { RelayOptions } from '../relay.ts'
import { type DebugEnv, type DebugSettings, debugOptions } from './debug-options.ts'

/** Settings that the relay goes by. */
export interface RelaySettings
  extends DebugSettings,
    Pick<
      DerperSettings,
      | 'derp'
      | 'home'
      | 'limits'
      | 'meshKey'
      | 'pingClientsMs'
      | 'proxies'
      | 'rateLimit'
      | 'tellHealth'
      | 'writeTimeoutMs'
    > {}

interface Keys {
  readonly privateKey: NodePrivateKey
  readonly meshKey: MeshKey | undefined
}

/** Options that come from the settings; admission, names and what else runs are the caller's. */
export function relayOptions(settings: Omit<RelaySettings, 'meshKey'>, keys: Keys, env: DebugEnv): RelayOptions {
  const { derp, home, limits, pingClientsMs, proxies, rateLimit, tellHealth, writeTimeoutMs } = settings
  const { loginTimeoutMs, maxClients } = limits
  return {
    ...keys,
    derp,
    home,
    loginTimeoutMs,
    maxClients,
    pingClientsMs,
    rateLimit,
    tellHealth,
    writeTimeoutMs,
    trustedProxies: proxies.trustedProxies,
    debug: debugOptions(settings, env),
  }
}
