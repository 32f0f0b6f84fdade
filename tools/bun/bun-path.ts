/** Where the pinned Bun lies. */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { packageFolder } from '../package-folder.ts'

/** Names of processors and systems in Bun's packages, where they are not Node's. */
const NAMES: Readonly<Record<string, string>> = { arm64: 'aarch64', win32: 'windows' }

/** The program; undefined where no package has one for this machine. */
export function bunPath(platform: string = process.platform, arch: string = process.arch): string | undefined {
  const folder = packageFolder(`@oven/bun-${NAMES[platform] ?? platform}-${NAMES[arch] ?? arch}`)
  const path = folder && join(folder, 'bin', platform === 'win32' ? 'bun.exe' : 'bun')
  return path !== undefined && existsSync(path) ? path : undefined
}
