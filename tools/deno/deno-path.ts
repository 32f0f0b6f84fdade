/** Where the pinned Deno lies. */

import { join } from 'node:path'
import { packageFolder } from '../package-folder.ts'

/** The program; undefined where no package has one for this machine. */
export function denoPath(platform: string = process.platform, arch: string = process.arch): string | undefined {
  const folder = packageFolder(`@deno/${platform}-${arch}${platform === 'linux' ? '-glibc' : ''}`)
  return folder && join(folder, platform === 'win32' ? 'deno.exe' : 'deno')
}
