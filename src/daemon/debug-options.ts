/** The debug pages of the daemon, from its settings. */

import { readFileSync } from 'node:fs'
import type { DebugOptions } from '../http/debug/debug.ts'
import type { DebugSettings } from './settings.ts'

export function debugOptions({
  allowAddress,
  keyPath,
  hintsAtAccess,
  tlsHostname,
}: DebugSettings): Pick<DebugOptions, 'access' | 'hintsAtAccess' | 'tlsHostname'> {
  return {
    access: {
      ...(allowAddress !== undefined && { allowAddress }),
      ...(keyPath !== undefined && { readKey: () => readIfPresent(keyPath) }),
    },
    hintsAtAccess,
    tlsHostname,
  }
}

/** The trimmed text of a file; undefined when it cannot be read, as the original takes it. */
function readIfPresent(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return undefined
  }
}
