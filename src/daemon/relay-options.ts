/** Options of the daemon's relay, on any thread. */

import type { MeshKey } from '../keys/mesh-key.ts'
import type { NodePrivateKey } from '../keys/node-key.ts'
import type { RelayOptions } from '../relay.ts'
import { daemonPages } from './debug/daemon-pages.ts'
import { debugOptions } from './debug/debug-options.ts'
import type { DebugSecrets } from './debug/debug-secrets.ts'
import type { DaemonSettings } from './settings.ts'

interface Keys {
  readonly privateKey: NodePrivateKey
  readonly meshKey: MeshKey | undefined
  readonly secrets: DebugSecrets
}

/** Options from the settings; the caller adds admission, bootstrap names and the program's metrics. */
export function relayOptions(
  { relay, debug, pages }: Pick<DaemonSettings, 'relay' | 'debug' | 'pages'>,
  { privateKey, meshKey, secrets }: Keys,
): RelayOptions {
  return {
    ...relay,
    privateKey,
    meshKey,
    debug: debugOptions(debug, secrets),
    pages: daemonPages({ relay, pages }, secrets),
  }
}
