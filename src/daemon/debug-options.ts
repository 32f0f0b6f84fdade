/** The debug pages of the daemon: who may see them besides this machine, by the original's two variables. */

import { readFileSync } from 'node:fs'
import type { DerperSettings } from '../cli/derper/derper-settings.ts'
import type { DebugOptions } from '../http/debug/debug.ts'

/** Variables of the environment. */
export interface DebugEnv {
  /** An address that has access. */
  readonly TS_ALLOW_DEBUG_IP?: string | undefined
  /** A file with the key that gives access from anywhere. */
  readonly TS_DEBUG_KEY_PATH?: string | undefined
}

/** Settings that the pages go by. */
export interface DebugSettings extends Pick<DerperSettings, 'dev'> {
  readonly tls: { readonly hostname: string } | undefined
}

export function debugOptions(
  { dev, tls }: DebugSettings,
  { TS_ALLOW_DEBUG_IP: allowAddress, TS_DEBUG_KEY_PATH: keyPath }: DebugEnv,
): Pick<DebugOptions, 'access' | 'hintsAtAccess' | 'tlsHostname'> {
  return {
    access: {
      ...(allowAddress !== undefined && { allowAddress }),
      ...(keyPath !== undefined && { readKey: () => readIfPresent(keyPath) }),
    },
    hintsAtAccess: dev,
    tlsHostname: tls?.hostname ?? '',
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
