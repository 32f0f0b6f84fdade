/** Where the pinned packages of runtimes lie. */

import { createRequire } from 'node:module'
import { dirname } from 'node:path'

/** Undefined where npm has left it out, as one for another system. */
export function packageFolder(name: string): string | undefined {
  try {
    return dirname(createRequire(import.meta.url).resolve(`${name}/package.json`))
  } catch {
    return undefined
  }
}
