/** How to start commands of this package, for hints to copy: in a clone, by npx, or installed. Pure. */

import { basename, dirname } from 'node:path'

/** @param script `process.argv[1]`. */
export function commandLineOf(command: 'derp' | 'derper' | 'derpprobe', script: string | undefined): string {
  // Sources run only in a clone, where npm scripts use the pinned Node.
  if (script?.endsWith('.ts')) return `npm run -s ${command} --`
  const isLocal = script !== undefined && basename(dirname(script)) === '.bin'
  return isLocal ? `npx ${command}` : command
}
