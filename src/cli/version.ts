/** The version of this package. */

import { readFileSync } from 'node:fs'

/** Reads it from the package's own manifest, which lies two folders up from source and from build alike. */
export function packageVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  return (manifest as { version: string }).version
}
