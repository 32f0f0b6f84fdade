/** What the daemon's relay is made with, on whatever thread. */

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

/** Options that come from the settings; admission, names and what else runs are the caller's. */
export function relayOptions(
  { relay, debug }: Pick<DaemonSettings, 'relay' | 'debug'>,
  { privateKey, meshKey, debugKey }: Keys,
): RelayOptions {
  return { ...relay, privateKey, meshKey, debug: debugOptions(debug, debugKey) }
}
