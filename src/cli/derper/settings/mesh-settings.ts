/** Mesh settings, from the flags. */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { MeshSettings } from '../../../daemon/settings.ts'
import { parseMeshWith } from '../../../mesh/mesh-target.ts'
import type { FlagValues } from '../../go-flags.ts'
import type { MESH_FLAGS } from '../flags/mesh.ts'
import type { SERVING_FLAGS } from '../flags/serving.ts'
import { loadMeshKey, MESH_KEY_VARIABLE } from '../mesh-key-file.ts'
import { intSetting, settingError } from './setting.ts'

const MAX_CLIENTS: number = 16 << 20

type Flags = FlagValues<typeof MESH_FLAGS> & Pick<FlagValues<typeof SERVING_FLAGS>, 'dev'>

/** @throws DerpError naming what is missing or malformed. */
export function meshSettings(flags: Flags, env: NodeJS.ProcessEnv): MeshSettings {
  const key = loadMeshKey(flags.dev ? env[MESH_KEY_VARIABLE] : undefined, meshKeyFile(flags, env))
  const peers = flags['mesh-with']
  const maxClients = intSetting(flags, 'mesh-max-clients', [0, MAX_CLIENTS])
  if (peers === '') return { key, peers: [], maxClients }
  if (key === undefined) throw settingError('mesh-with', peers, 'needs a mesh key; set -mesh-psk-file')
  return { key, peers: parseMeshWith(peers), maxClients }
}

/** The named mesh key file, else the original's default paths; empty for none. */
function meshKeyFile(flags: Flags, env: NodeJS.ProcessEnv): string {
  if (flags['mesh-psk-file'] !== '' || flags.dev) return flags['mesh-psk-file']
  const { HOME: home = '' } = env
  return ['/home/derp/keys/derp-mesh.key', join(home, 'keys', 'derp-mesh.key')].find(existsSync) ?? ''
}
