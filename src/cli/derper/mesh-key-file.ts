/** Reads the mesh key: from the environment in development mode, else from a file (P-023). */

import { readFileSync } from 'node:fs'
import { MeshKey } from '../../keys/mesh-key.ts'
import { DerpError } from '../../lib/derp-error.ts'
import { unreadable } from '../unreadable.ts'

/** Variable that holds the mesh key in development mode, as in the original. */
export const MESH_KEY_VARIABLE = 'TAILSCALE_DERPER_MESH_KEY'

/**
 * Reads the mesh key.
 *
 * @param variable value of {@link MESH_KEY_VARIABLE} in development mode; takes precedence over the file.
 * @param path value of `-mesh-psk-file`.
 * @returns undefined when neither is set.
 * @throws DerpError with source and reason.
 */
export function loadMeshKey(variable: string | undefined, path: string): MeshKey | undefined {
  if (variable !== undefined && variable !== '') return parse(`read mesh key from ${MESH_KEY_VARIABLE}`, variable)
  if (path === '') return undefined
  const action = `set flag -mesh-psk-file to "${path}"`
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new DerpError('ERR_DERP_CONFIG_INVALID', `${action}: ${unreadable(error)}`, { cause: error })
  }
  return parse(action, text)
}

function parse(action: string, text: string): MeshKey {
  try {
    return MeshKey.parse(text)
  } catch (error) {
    // The parser's message has only the length: even a malformed key is secret.
    const remedy = 'generate one for all relays of the region, such as with openssl rand -hex 32'
    throw new DerpError('ERR_DERP_CONFIG_INVALID', `${action}: ${(error as Error).message}; ${remedy}`, {
      cause: error,
    })
  }
}
