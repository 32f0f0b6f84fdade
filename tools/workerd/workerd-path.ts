/** Where the pinned workerd lies. */

import { join } from 'node:path'
import { packageFolder } from '../package-folder.ts'

/** The program; undefined where no package has one for this machine. */
export function workerdPath(platform: string = process.platform, arch: string = process.arch): string | undefined {
  const system = platform === 'win32' ? 'windows' : platform
  const folder = packageFolder(`@cloudflare/workerd-${system}-${arch === 'x64' ? '64' : arch}`)
  return folder && join(folder, 'bin', platform === 'win32' ? 'workerd.exe' : 'workerd')
}
