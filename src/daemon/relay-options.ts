/** Options of the daemon's relay, on any thread. */

import type { MeshKey } from '../keys/mesh-key.ts'
import type { NodePrivateKey } from '../keys/node-key.ts'
import type { RelayOptions } from '../relay.ts'
import type { DebugKey } from './debug-key.ts'
import { debugOptions } from './debug-options.ts'
import type { DaemonSettings } from './settings.ts'

interface Keys {
  readonly privateKey: NodePrivateKey
  readonly meshKey: MeshKey | undefined
  readonly debugKey: DebugKey
}

/** Options from the settings; the caller adds admission, bootstrap names and the program's metrics. */
export function relayOptions(
  { relay, debug }: Pick<DaemonSettings, 'relay' | 'debug'>,
  { privateKey, meshKey, debugKey }: Keys,
): RelayOptions {
  return { ...relay, privateKey, meshKey, debug: debugOptions(debug, debugKey) }
}
