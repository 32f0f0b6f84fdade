/** The version of this package. */

import { readFileSync } from 'node:fs'

/** From package.json, two folders up in source and in the build. */
export function packageVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  return (manifest as { version: string }).version
}
