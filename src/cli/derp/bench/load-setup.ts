/** The setup of one process of a load test, and the clients it creates from it. */

import type { MeshKey } from '../../../keys/mesh-key.ts'
import { NodePrivateKey } from '../../../keys/node-key.ts'
import { systemClock } from '../../../lib/clock.ts'
import { loadMeshKey } from '../../derper/mesh-key-file.ts'
import { readKeyFile } from '../../key-file.ts'
import { clientOf, type RelayAccess } from '../relay/relay-options.ts'
import type { LoadPart } from './bench-plan.ts'
import { type LoadClient, LoadRun } from './load-run.ts'

/** Plain data; secrets stay in their files. */
export interface LoadSetup {
  readonly access: RelayAccess
  readonly part: LoadPart
  /** Two for each pair, or one that sends to itself; none for fresh keys. */
  readonly keyFiles: readonly string[]
  readonly meshPskFile: string | undefined
}

/** Named in the relay's statistics. */
const APP_NAME = 'derp bench'

/** Connects nothing yet. @throws DerpError for unusable key files. */
export function loadRunOf({ access, part, keyFiles, meshPskFile }: LoadSetup, env: NodeJS.ProcessEnv): LoadRun {
  const keys = keyFiles.map(readKeyFile)
  const meshKey = loadMeshKey(undefined, meshPskFile ?? '')
  const connect = (key: NodePrivateKey) => loggedIn(access, key, meshKey, env)
  const [only] = keys
  if (only !== undefined && keys.length === 1) {
    // The receiver is connected first.
    let both: LoadClient | undefined
    return new LoadRun(part, {
      clock: systemClock,
      connect: async (_pair, end) => {
        both = end === 'sender' && both !== undefined ? both : await connect(only)
        return both
      },
    })
  }
  return new LoadRun(part, {
    clock: systemClock,
    connect: (pair, end) => connect(keys[pair * 2 + (end === 'sender' ? 0 : 1)] ?? NodePrivateKey.generate()),
  })
}

/** Resolves once the relay routes packets to the client. */
async function loggedIn(
  access: RelayAccess,
  key: NodePrivateKey,
  meshKey: MeshKey | undefined,
  proxyEnv: NodeJS.ProcessEnv,
): Promise<LoadClient> {
  const client = clientOf(access, key, { appName: APP_NAME, meshKey, proxyEnv })
  try {
    while ((await client.recv()).type !== 'serverInfo');
    return client
  } catch (error) {
    await client.close().catch(() => {})
    throw error
  }
}
