/** The version of this package. */

import manifest from '../../package.json' with { type: 'json' }

/** From package.json, two folders up in source and in the build. */
export function packageVersion(): string {
  return manifest.version
}
