/** How commands of this package are started here, for hints that can be copied: in a clone, by npx, or installed. Pure. */

import { basename, dirname } from 'node:path'

/** @param script path that this process was started with, `process.argv[1]`. */
export function commandLineOf(command: 'derp' | 'derper' | 'derpprobe', script: string | undefined): string {
  // Sources run in a clone only, where the scripts of package.json find the right Node.
  if (script?.endsWith('.ts')) return `npm run ${command} --`
  const isLocal = script !== undefined && basename(dirname(script)) === '.bin'
  return isLocal ? `npx ${command}` : command
}
