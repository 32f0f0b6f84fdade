/** What a worker needs of the settings to build the same relay and listeners, as data that can be sent to it. */

import type { DerperSettings } from '../../cli/derper/derper-settings.ts'
import { MeshKey } from '../../keys/mesh-key.ts'
import { NodePrivateKey } from '../../keys/node-key.ts'
import type { DebugEnv } from '../debug-options.ts'
import type { ListenerSettings } from '../listener-options.ts'
import type { RelaySettings } from '../relay-options.ts'

type PlainSettings = Omit<RelaySettings, 'meshKey'> & ListenerSettings & Pick<DerperSettings, 'address'>

export interface WorkerSettings {
  readonly plain: PlainSettings
  readonly env: DebugEnv
  /** As text: keys cannot be sent, lest they go anywhere by accident. */
  readonly privateKey: string
  readonly meshKey: string | undefined
}

/** @param env the variables that the debug pages go by. */
export function workerSettings(settings: DerperSettings, privateKey: NodePrivateKey, env: DebugEnv): WorkerSettings {
  const { address, dev, derp, home, limits, proxies, rateLimit, writeTimeoutMs, pingClientsMs, tellHealth } = settings
  const { TS_ALLOW_DEBUG_IP, TS_DEBUG_KEY_PATH } = env
  return {
    plain: {
      address,
      dev,
      derp,
      home,
      limits,
      proxies,
      rateLimit,
      writeTimeoutMs,
      pingClientsMs,
      tellHealth,
      // How certificates are had is not the workers' business.
      tls: settings.tls && { hostname: settings.tls.hostname },
    },
    env: { TS_ALLOW_DEBUG_IP, TS_DEBUG_KEY_PATH },
    privateKey: privateKey.exportText(),
    meshKey: settings.meshKey?.exportText(),
  }
}

/** The keys of what came to a worker. */
export function workerKeys({ privateKey, meshKey }: WorkerSettings): {
  readonly privateKey: NodePrivateKey
  readonly meshKey: MeshKey | undefined
} {
  return {
    privateKey: NodePrivateKey.parse(privateKey),
    meshKey: meshKey === undefined ? undefined : MeshKey.parse(meshKey),
  }
}
