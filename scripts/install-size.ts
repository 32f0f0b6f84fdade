/** What an install of the package brings, and the most that it may. */

import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

export interface InstallSize {
  /** With the package itself. */
  readonly packages: number
  /** Without source maps. */
  readonly bytes: number
}

export const MOST_INSTALLED: InstallSize = { packages: 12, bytes: 6_000_000 }

/** @param folder in which npm has installed the package, and nothing else. */
export function installSize(folder: string): InstallSize {
  const lock = JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8')) as { packages: object }
  const files = readdirSync(join(folder, 'node_modules'), { recursive: true, withFileTypes: true })
  const counted = files.filter(each => each.isFile() && !each.name.endsWith('.map'))
  return {
    packages: Object.keys(lock.packages).filter(path => path !== '').length,
    bytes: counted.reduce((sum, each) => sum + statSync(join(each.parentPath, each.name)).size, 0),
  }
}
