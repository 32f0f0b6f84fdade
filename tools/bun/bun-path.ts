/** Where the pinned Bun lies. */

import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/** Names of processors and systems in Bun's packages, where they are not Node's. */
const NAMES: Readonly<Record<string, string>> = { arm64: 'aarch64', win32: 'windows' }

/** The program; undefined where no package has one for this machine. */
export function bunPath(platform: string = process.platform, arch: string = process.arch): string | undefined {
  const folder = packageFolder(`@oven/bun-${NAMES[platform] ?? platform}-${NAMES[arch] ?? arch}`)
  const path = folder && join(folder, 'bin', platform === 'win32' ? 'bun.exe' : 'bun')
  return path !== undefined && existsSync(path) ? path : undefined
}

function packageFolder(name: string): string | undefined {
  try {
    return dirname(createRequire(import.meta.url).resolve(`${name}/package.json`))
  } catch {
    return undefined
  }
}
