/** The siblings of the region, from the flags. */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { MeshKey } from '../../../keys/mesh-key.ts'
import { type MeshTarget, parseMeshWith } from '../../../mesh/mesh-target.ts'
import type { FlagValues } from '../../go-flags.ts'
import type { MESH_FLAGS } from '../flags/mesh.ts'
import type { SERVING_FLAGS } from '../flags/serving.ts'
import { badSetting } from './setting.ts'

type Flags = FlagValues<typeof MESH_FLAGS> & Pick<FlagValues<typeof SERVING_FLAGS>, 'dev'>

/** The file with the mesh key: the one that is named, else where the original looks by itself; empty for none. */
export function meshKeyFile(flags: Flags, env: NodeJS.ProcessEnv): string {
  if (flags['mesh-psk-file'] !== '' || flags.dev) return flags['mesh-psk-file']
  const { HOME: home = '' } = env
  return ['/home/derp/keys/derp-mesh.key', join(home, 'keys', 'derp-mesh.key')].find(existsSync) ?? ''
}

/** Siblings to link to; undefined for none. @throws DerpError naming what is missing or malformed. */
export function siblingSettings(text: string, meshKey: MeshKey | undefined): readonly MeshTarget[] | undefined {
  if (text === '') return undefined
  if (meshKey === undefined) throw badSetting('mesh-with', text, 'needs a mesh key, from -mesh-psk-file')
  return parseMeshWith(text)
}
