/** The siblings of the region, from the flags. */

import type { MeshKey } from '../../keys/mesh-key.ts'
import { type MeshTarget, parseMeshWith } from '../../mesh/mesh-target.ts'
import { badSetting } from './setting.ts'

/** Siblings to link to; undefined for none. @throws DerpError naming what is missing or malformed. */
export function siblingSettings(text: string, meshKey: MeshKey | undefined): readonly MeshTarget[] | undefined {
  if (text === '') return undefined
  if (meshKey === undefined) throw badSetting('mesh-with', text, 'needs a mesh key, from -mesh-psk-file')
  return parseMeshWith(text)
}
