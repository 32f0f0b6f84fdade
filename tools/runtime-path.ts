/**
 * The runtime for programs of this repository: Bun where there is one for the machine, unless `DERPHTTP_RUNTIME` says `node`.
 *
 * Run as a program, it prints the path: `exec "$(node tools/runtime-path.ts)" src/bin/derper.ts`.
 */

import { bunPath } from './bun/bun-path.ts'

/** @throws Error for a name that is none, or a runtime that is not there. */
export function runtimePath(wanted: string | undefined): string {
  const bun = wanted === 'node' ? undefined : bunPath()
  switch (wanted) {
    case undefined:
    case '':
      return bun ?? process.execPath
    case 'node':
      return process.execPath
    case 'bun':
      if (bun === undefined) throw new Error('find Bun: there is no package of it for this machine; run npm ci')
      return bun
    default:
      throw new Error(`choose runtime by DERPHTTP_RUNTIME, ${wanted}: unknown; set bun or node`)
  }
}

if (import.meta.main) {
  try {
    process.stdout.write(runtimePath(process.env['DERPHTTP_RUNTIME']))
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`)
    process.exitCode = 2
  }
}
